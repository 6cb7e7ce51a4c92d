/** `top --live` in a terminal of its own (util-linux script), and without one. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LOSSLOG } from '../lab/recorder.ts';
import { parseIp } from '../src/base/ip.ts';
import { wallFromMs } from '../src/base/time.ts';
import type { Event } from '../src/event/kinds.ts';
import { StoreWriter } from '../src/store/writer.ts';
import { requires } from './helpers/requires.ts';

/** A store that a recorder writes now, with seven drops in it. */
function liveStore(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'losslog-live-'));
  const writer = StoreWriter.open(dir, { bootId: 'b', losslogVersion: '0', kernel: '0', host: 'h' });
  t.after(() => {
    writer.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const time = wallFromMs(Date.now());
  const drop = { kind: 'drop', class: 'loss', reason: 'NETFILTER_DROP', protocol: 'udp', direction: 'rx' };
  const flow = { src: parseIp('10.0.0.9'), sport: 9, dst: parseIp('10.0.0.1'), dport: 53, process: 'named\u001b[2J' };
  writer.write(Array.from({ length: 7 }, (_, i) => ({ ...drop, ...flow, time: time + BigInt(i) }) as unknown as Event));
  writer.flush();
  return dir;
}

const PREFIX = 'stty rows 24 cols 80; ';

test('in a terminal: it draws, obeys keys and leaves the terminal as it was', requires('script'), async (t) => {
  const store = liveStore(t);
  const command = `${PREFIX}${LOSSLOG} top --live --store ${store}; stty -a`;
  const child = spawn('script', ['-qefc', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  let shown = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
  });
  const until = async (text: string): Promise<void> => {
    for (let i = 0; i < 200 && !shown.includes(text); i++) await sleep(50);
    assert.ok(shown.includes(text), `${JSON.stringify(text)} is not in ${JSON.stringify(shown)}`);
  };
  await until('by peer, last 1 min');
  await until('10.0.0.9');
  child.stdin.write('2');
  await until('named\\x1b[2J');
  child.stdin.write('5');
  await until('NETFILTER_DROP');
  child.stdin.write('q');
  await new Promise((resolve) => child.once('close', resolve));
  const [enter, leave] = [shown.indexOf('\x1b[?1049h'), shown.lastIndexOf('\x1b[?1049l')];
  assert.ok(enter >= 0 && leave > enter && shown.lastIndexOf('\x1b[?25h') > enter);
  // canonical mode and echo are on again
  assert.match(shown.slice(leave), / icanon /);
  assert.match(shown.slice(leave), / echo /);
});

test('without a terminal: plain text until its reader has gone', requires('script'), (t) => {
  const store = liveStore(t);
  const line = `${LOSSLOG} top --live --by reason --store ${store} | head -n 12`;
  const { status, stdout } = spawnSync('sh', ['-c', line], { encoding: 'utf8', timeout: 30_000 });
  assert.equal(status, 0);
  assert.match(stdout, /^losslog top {2}\d\d:\d\d:\d\d {2}by reason, last 1 min\n/);
  assert.match(stdout, /^NETFILTER_DROP +0 +7 +0$/m);
  assert.ok(!stdout.includes('\x1b'));
});

test('a recorder that is down is said', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'losslog-live-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const writer = StoreWriter.open(dir, { bootId: 'b', losslogVersion: '0', kernel: '0', host: 'h' });
  writer.close();
  const { stdout } = spawnSync('sh', ['-c', `${LOSSLOG} top --live --store ${dir} | head -n 3`], { encoding: 'utf8' });
  assert.match(stdout, /^nothing is recorded since \d\d:\d\d:\d\d: the recorder is not running$/m);
});
