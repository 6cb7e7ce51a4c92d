/** Storms: what is only counted, and that it adds up with what is recorded one by one. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import { type JsonEvent, Recorder } from '../lab/recorder.ts';
import { blastUdp, connectOften, floodUdp, sendTcp, startSink } from '../lab/traffic.ts';
import { requires } from './helpers/requires.ts';
import { assertCounters } from './helpers/retransmit-counters.ts';
import { seen } from './helpers/seen.ts';

const here = requires('root', 'btf');
const PORT = 9999;
const CLOSED_PORT = 9997;
/** What is still on its way when the traffic program ends has come by then. */
const SETTLE_MS = 200;
const MAX_RSS_KB = 120 * 1024;

type Loss = JsonEvent<'retransmit' | 'drop' | 'reset' | 'summary'>;

interface Recorded<T> {
  events: Loss[];
  recorder: Recorder;
  /** The most memory that the recorder had resident, in kB. */
  peakRss: number;
  result: T;
}

/** Records `hosts` within limits while `traffic` runs, and hands what was recorded to `check`. */
async function recorded<T>(
  hosts: readonly Host[],
  args: readonly string[],
  traffic: () => Promise<T>,
  check: (recorded: Recorded<T>) => void,
): Promise<void> {
  const { recorder, ...rest } = await seen(async () => {
    const recorder = await Recorder.start({ hosts, args, limited: true });
    const result = await traffic();
    await sleep(SETTLE_MS);
    const status = readFileSync(`/proc/${recorder.process.pid}/status`, 'utf8');
    await recorder.stop();
    return { recorder, result, peakRss: Number(/^VmHWM:\s*(\d+)/m.exec(status)?.[1]) };
  });
  try {
    check({ recorder, events: recorder.events() as Loss[], ...rest });
  } finally {
    recorder.close();
  }
}

interface Counts {
  single: number;
  counted: number;
}

/** Events that fulfil a condition: recorded one by one, and only counted. */
function countsOf(events: readonly Loss[], isWanted: (event: Loss) => boolean): Counts {
  const counts = { single: 0, counted: 0 };
  for (const event of events.filter(isWanted)) {
    if (event.kind === 'summary') counts.counted += event.events;
    else counts.single++;
  }
  return counts;
}

const total = ({ single, counted }: Counts): number => single + counted;
const isReason =
  (reason: string, netns?: number) =>
  (event: Loss): boolean =>
    'reason' in event && event.reason === reason && (netns === undefined || event.netns === netns);
const isOf =
  (kind: 'retransmit' | 'drop' | 'reset') =>
  (event: Loss): boolean =>
    (event.kind === 'summary' ? event.of : event.kind) === kind;

const summariesOf = (events: readonly Loss[]) => events.filter((event) => event.kind === 'summary');

/** The first row of `losslog top`. */
const topRow = (recorder: Recorder, ...args: string[]): Record<string, unknown> =>
  JSON.parse(recorder.losslog('top', '--json', '--limit', '1', ...args));

test('a flood of drops: single events and summaries are what the firewall counted', here, async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts({ ipv6: false });
  const rule = server.dropMatching({ protocol: 'udp', dport: PORT, family: 4 });
  const flood = async () => {
    const before = rule.packets();
    await blastUdp(client, { host: server.ip4, port: PORT, count: 300_007 });
    return rule.packets() - before;
  };
  await recorded([server], ['--limit-drops', '7/1000'], flood, ({ events, recorder, result }) => {
    assert.equal(result, 300_007);
    const counts = countsOf(events, isReason('NETFILTER_DROP'));
    assert.equal(total(counts), 300_007);
    assert.ok(counts.single >= 7 && counts.single < 1000, `${counts.single} single events`);
    for (const summary of recorder.eventsOf('summary', '--reason', 'netfilter_drop')) {
      const { of, direction, netns, netnsName, bytes, from, until } = summary;
      const facts = [of, summary.class, direction, netns, netnsName];
      assert.deepEqual(facts, ['drop', 'loss', 'rx', server.netns, server.name]);
      assert.equal(bytes, summary.events * (20 + 8 + 100));
      assert.match(summary.location ?? '', /^nf_hook_slow|^nft_do_chain|^ipt_do_table/);
      assert.ok(from <= until);
    }
    const top = topRow(recorder, '--by', 'reason');
    assert.deepEqual([top.reason, top.drops], ['NETFILTER_DROP', 300_007]);
    const limited = recorder.eventsOf('coverage').filter(({ state }) => state === 'limited');
    const told = limited.reduce((sum, { count = 0 }) => sum + count, 0);
    assert.equal(told, countsOf(events, ({ kind }) => kind === 'summary').counted);
  });
});

test('a flood from everywhere leaves retransmissions their records, and memory its bound', here, async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts({ ipv6: false });
  const other = lab.twoHosts({ ipv6: false, subnet: 5 });
  const rule = server.dropMatching({ protocol: 'udp', dport: PORT, family: 4, chain: 'PREROUTING' });
  const sink = await startSink(other.server);
  other.server.dropRandomly(0.01, { family: 4, protocol: 'tcp' });
  const hosts = [client, server, other.client, other.server];
  const storm = async () => {
    const [packets, counters] = [rule.packets(), other.client.counters()];
    const sending = sendTcp(
      other.client,
      { host: other.server.ip4, port: sink.port, bytes: 20_000_000, connections: 3 },
      { timeoutMs: 90_000 },
    );
    await floodUdp(client, { host: server.ip4, port: PORT, count: 1_000_003 });
    assert.deepEqual((await sending).errors, []);
    return { packets: rule.packets() - packets, counters: other.client.counters().since(counters) };
  };
  await recorded(hosts, [], storm, ({ events, peakRss, result: { packets, counters } }) => {
    assert.equal(packets, 1_000_003);
    const flood = countsOf(events, isReason('NETFILTER_DROP', server.netns));
    assert.equal(total(flood), packets);
    assert.ok(flood.single >= 100);
    const resent = events.filter(isOf('retransmit')).filter(({ netns }) => netns === other.client.netns);
    assertCounters(
      resent.filter((event) => event.kind === 'retransmit'),
      counters,
    );
    assert.ok(counters.get('Tcp.RetransSegs') > 50);
    assert.ok(peakRss <= MAX_RSS_KB, `${peakRss} kB resident`);
  });
});

test('two namespaces in a storm at once: each has its own total', here, async () => {
  await using lab = Lab.create();
  const pairs = [lab.twoHosts({ ipv6: false }), lab.twoHosts({ ipv6: false, subnet: 7 })] as const;
  const counts = [100_003, 50_021] as const;
  const rules = pairs.map(({ server }) => server.dropMatching({ protocol: 'udp', dport: PORT, family: 4 }));
  const both = async () => {
    await Promise.all(
      pairs.map(({ client, server }, i) =>
        blastUdp(client, { host: server.ip4, port: PORT, count: counts[i] as number }),
      ),
    );
    return rules.map((rule) => rule.packets());
  };
  const hosts = pairs.flatMap(({ client, server }) => [client, server]);
  await recorded(hosts, ['--limit-drops', '11/13'], both, ({ events, recorder }) => {
    for (const [i, { server }] of pairs.entries()) {
      assert.equal(total(countsOf(events, isReason('NETFILTER_DROP', server.netns))), counts[i]);
      const top = topRow(recorder, '--by', 'netns', '--netns', String(server.netns), '--reason', 'NETFILTER_DROP');
      assert.deepEqual([top.netns, top.netnsName, top.drops], [server.netns, server.name, counts[i]]);
    }
  });
});

test('classes of what was only counted: by reason alone, and by what the headers say', here, async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts({ ipv6: false });
  const storm = async () => {
    const before = server.counters();
    // to a port that nobody has: a loss; to everybody: benign
    await blastUdp(client, { host: server.ip4, port: CLOSED_PORT, count: 2003 });
    client.exec('ip', 'route', 'add', '239.9.9.9', 'dev', 'eth0');
    await floodUdp(client, { host: '239.9.9.9', port: CLOSED_PORT, count: 1009 });
    return server.counters().since(before);
  };
  await recorded([server], ['--limit-drops', '3/1000'], storm, ({ events, recorder, result }) => {
    assert.equal(result.get('Udp.NoPorts'), 2003);
    const closed = events.filter(isReason('NO_SOCKET'));
    assert.equal(total(countsOf(closed, (event) => 'class' in event && event.class === 'loss')), 2003);
    const inSummaries = summariesOf(closed).filter((event) => event.class === 'loss');
    assert.deepEqual([...new Set(inSummaries.map(({ protocol }) => protocol))], ['udp']);
    const group = events.filter((event) => 'class' in event && event.class === 'benign');
    assert.ok(summariesOf(group).length > 0, 'benign drops were counted, too');
    const shown = recorder.losslog('top', '--by', 'reason', '--json', '--reason', 'NO_SOCKET');
    assert.equal(JSON.parse(shown).drops, 2003, 'benign drops are left out of summaries, too');
  });
});

test('a connection beyond its limit: segments and causes add up, and it has its owner', here, async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts({ ipv6: false });
  const sink = await startSink(server);
  server.dropRandomly(0.01, { family: 4, protocol: 'tcp' });
  const send = async () => {
    const before = client.counters();
    const { errors } = await sendTcp(
      client,
      { host: server.ip4, port: sink.port, bytes: 60_000_000, connections: 2, title: 'the-sender' },
      { timeoutMs: 90_000 },
    );
    assert.deepEqual(errors, []);
    return client.counters().since(before);
  };
  await recorded([client, server], ['--limit-connections', '2/1000'], send, ({ events, recorder, result }) => {
    const resent = events.filter(isOf('retransmit')).filter(({ netns }) => netns === client.netns);
    const summaries = summariesOf(resent);
    const segments = (wanted: (event: Loss) => boolean): number =>
      resent.filter(wanted).reduce((sum, event) => sum + (('segments' in event && event.segments) || 0), 0);
    assert.equal(
      segments((event) => !('failed' in event)),
      result.get('Tcp.RetransSegs') - result.get('TcpExt.TCPRetransFail'),
    );
    const fast = segments((event) => 'cause' in event && event.cause === 'fast' && !('failed' in event));
    assert.equal(fast, result.get('TcpExt.TCPFastRetrans'));
    assert.ok(summaries.length > 0);
    for (const { src, dst, dport, process, bytes = 0, segments: count = 0 } of summaries) {
      assert.deepEqual([src, dst, dport, process], [client.ip4, server.ip4, sink.port, 'the-sender']);
      assert.ok(bytes > count, 'payload');
    }
    const filtered = recorder.events('--kind', 'retransmit', '--peer', server.ip4, '--process', 'the-sender');
    assert.equal(filtered.filter(({ kind }) => kind === 'summary').length, summaries.length);
    const top = topRow(recorder, '--by', 'process');
    const all = segments(() => true);
    assert.deepEqual([top.process, top.segments], ['the-sender', all]);
  });
});

test('resets beyond the limit are what the kernel counted', here, async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts({ ipv6: false });
  const refused = async () => {
    const before = server.counters();
    const { errors } = await connectOften(client, { host: server.ip4, port: CLOSED_PORT, count: 101, concurrency: 1 });
    assert.deepEqual(errors, Array(101).fill('ECONNREFUSED'));
    return server.counters().since(before);
  };
  await recorded([server], ['--limit-connections', '1/1'], refused, ({ events, result }) => {
    const sent = countsOf(
      events,
      (event) => isOf('reset')(event) && 'direction' in event && event.direction === 'sent',
    );
    assert.equal(result.get('Tcp.OutRsts'), 101);
    assert.equal(total(sent), 101);
    assert.ok(sent.counted > 0);
  });
});

test(
  'by ftrace: bounded in user space; what the kernel could not hold is told',
  requires('root', 'ftrace'),
  async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts({ ipv6: false });
    const rule = server.dropMatching({ protocol: 'udp', dport: PORT, family: 4 });
    await using recorder = await Recorder.start({
      limited: true,
      args: ['--source', 'ftrace', '--limit-drops', '5/100'],
    });
    await blastUdp(client, { host: server.ip4, port: PORT, count: 200_003 });
    await sleep(SETTLE_MS);
    await recorder.stop();
    const events = recorder.events() as Loss[];
    const { single, counted } = countsOf(events, isOf('drop'));
    const lost = recorder
      .eventsOf('coverage')
      .filter(({ state }) => state === 'lost')
      .reduce((sum, { count = 0 }) => sum + count, 0);
    assert.equal(rule.packets(), 200_003);
    // ftrace sees the drops of every namespace
    assert.ok(single + counted + lost >= 200_003, `${single} + ${counted} + ${lost}`);
    assert.ok(counted > 0 && single < 5000, `${single} single events`);
  },
);
