/**
 * How fast a trace log is converted, and in how much memory.
 *
 *     node --disable-warning=ExperimentalWarning bench/convert.ts [MEGABYTES]
 *
 * Two logs: one that repeats the lines of testdata/trace-logs/, without their headers; one whose every line is a resend of
 * another connection, the worst there is.
 */

import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LOGS = fileURLToPath(new URL('../testdata/trace-logs/', import.meta.url));
const LOSSLOG = fileURLToPath(new URL('../bin/losslog', import.meta.url));
const MEGABYTES = Number(process.argv[2] ?? 1000);
const BLOCK_LINES = 10_000;

function* repeatedLines(): Generator<string> {
  const all = readdirSync(LOGS).flatMap((file) => readFileSync(join(LOGS, file), 'latin1').split('\n'));
  const lines = all.filter((line) => line !== '' && !line.startsWith('#'));
  for (;;) yield* lines;
}

function* differentLines(): Generator<string> {
  for (let i = 0; ; i++) {
    const stamp = `${2_621_728 + Math.floor(i / 1000)}.${String((i % 1000) * 997).padStart(6, '0')}`;
    const address = (i * 2_654_435_761) | 0;
    yield `          <idle>-0       [000] ..s. ${stamp}: 0: tcp_retransmit port=${i % 65_536} dst=${address || 1} state=1`;
  }
}

/** @returns how many lines it has */
function writeLog(path: string, source: Generator<string>): number {
  const fd = openSync(path, 'w');
  let lines = 0;
  for (let bytes = 0; bytes < MEGABYTES * 1e6; lines += BLOCK_LINES) {
    let block = '';
    for (let i = 0; i < BLOCK_LINES; i++) block += `${source.next().value}\n`;
    bytes += writeSync(fd, block);
  }
  closeSync(fd);
  return lines;
}

function measure(log: string, lines: number, form: string): string {
  const command = ['-f', '%U %S %M', LOSSLOG, 'convert', log, ...(form === 'text' ? [] : [form])];
  const { status, stderr } = spawnSync('/usr/bin/time', command, {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status !== 0) throw new Error(stderr);
  const [user = 0, system = 0, peakKb = 0] = (stderr.trimEnd().split('\n').at(-1) ?? '').split(' ').map(Number);
  return `${Math.round(lines / (user + system))} lines/s and core, ${peakKb} kB at most`;
}

const dir = mkdtempSync(join(tmpdir(), 'losslog-bench-'));
try {
  for (const [name, source] of [['repeated', repeatedLines()] as const, ['all different', differentLines()] as const]) {
    const log = join(dir, 'trace.txt');
    const lines = writeLog(log, source);
    for (const form of ['--json', 'text'])
      console.log(`${name}, ${lines} lines, ${form}: ${measure(log, lines, form)}`);
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
