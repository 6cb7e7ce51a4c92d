/** Storms: what is only counted, and that it adds up with what is recorded one by one. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import { type JsonEvent, Recorder } from '../lab/recorder.ts';
import { blastUdp } from '../lab/traffic.ts';
import { requires } from './helpers/requires.ts';
import { seen } from './helpers/seen.ts';

const here = requires('root', 'btf');
const PORT = 9999;
const SETTLE_MS = 200;

/** Records `hosts` within limits while `traffic` runs; `attempt` is made anew where events were hidden from BPF. */
function recorded<T>(
  hosts: readonly Host[],
  args: readonly string[],
  traffic: () => Promise<T>,
): Promise<{ recorder: Recorder; result: T }> {
  return seen(async () => {
    const recorder = await Recorder.start({ hosts, args, limited: true });
    const result = await traffic();
    await sleep(SETTLE_MS);
    await recorder.stop();
    return { recorder, result };
  });
}

type Loss = JsonEvent<'retransmit' | 'drop' | 'reset' | 'summary'>;

/** Events that fulfil a condition: recorded one by one, and only counted. */
function countsOf(
  events: readonly JsonEvent[],
  isWanted: (event: Loss) => boolean,
): { single: number; counted: number } {
  const counts = { single: 0, counted: 0 };
  for (const event of events as readonly Loss[]) {
    if (!isWanted(event)) continue;
    if (event.kind === 'summary') counts.counted += event.events;
    else counts.single++;
  }
  return counts;
}

const isReason =
  (reason: string) =>
  (event: Loss): boolean =>
    'reason' in event && event.reason === reason;

test('a flood of drops: single events and summaries are what the firewall counted', here, async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts({ ipv6: false });
  const rule = server.dropMatching({ protocol: 'udp', dport: PORT, family: 4 });
  const { recorder, result: packets } = await recorded([server], ['--limit-drops', '7/1000'], async () => {
    const before = rule.packets();
    await blastUdp(client, { host: server.ip4, port: PORT, count: 300_007 });
    return rule.packets() - before;
  });
  using _ = recorder;
  const events = recorder.events();
  const { single, counted } = countsOf(events, isReason('NETFILTER_DROP'));
  assert.equal(packets, 300_007);
  assert.equal(single + counted, packets);
  assert.ok(single >= 7 && single < 1000, `${single} single events`);
  for (const summary of recorder.eventsOf('summary', '--reason', 'netfilter_drop')) {
    const { of, direction, netns, netnsName, bytes, from, until } = summary;
    assert.deepEqual(
      [of, summary.class, direction, netns, netnsName],
      ['drop', 'loss', 'rx', server.netns, server.name],
    );
    assert.equal(bytes, summary.events * (20 + 8 + 100));
    assert.match(summary.location ?? '', /^nf_hook_slow|^nft_do_chain|^ipt_do_table/);
    assert.ok(from <= until);
  }
  const [top] = JSON.parse(`[${recorder.losslog('top', '--by', 'reason', '--json', '--limit', '1').trim()}]`);
  assert.deepEqual([top.reason, top.drops], ['NETFILTER_DROP', packets]);
  const limited = recorder.eventsOf('coverage').filter(({ state }) => state === 'limited');
  const summarized = countsOf(events, ({ kind }) => kind === 'summary').counted;
  assert.equal(
    limited.reduce((sum, { count = 0 }) => sum + count, 0),
    summarized,
  );
});
