/**
 * How fast a trace log is converted, and in how much memory.
 *
 *     node --disable-warning=ExperimentalWarning bench/convert.ts [MEGABYTES]
 *
 * The log repeats the lines of testdata/trace-logs/, without their headers.
 */

import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LOGS = fileURLToPath(new URL('../testdata/trace-logs/', import.meta.url));
const LOSSLOG = fileURLToPath(new URL('../bin/losslog', import.meta.url));
const megabytes = Number(process.argv[2] ?? 1000);

function writeLog(path: string): { lines: number; bytes: number } {
  const all = readdirSync(LOGS).flatMap((file) => readFileSync(join(LOGS, file), 'latin1').split('\n'));
  const lines = all.filter((line) => line !== '' && !line.startsWith('#'));
  const block = Buffer.from(`${Array(100).fill(lines.join('\n')).join('\n')}\n`);
  const blocks = Math.ceil((megabytes * 1e6) / block.length);
  const fd = openSync(path, 'w');
  for (let i = 0; i < blocks; i++) writeSync(fd, block);
  closeSync(fd);
  return { lines: blocks * 100 * lines.length, bytes: blocks * block.length };
}

const dir = mkdtempSync(join(tmpdir(), 'losslog-bench-'));
try {
  const log = join(dir, 'trace.txt');
  const { lines, bytes } = writeLog(log);
  for (const form of [['--json'], []]) {
    const command = ['-f', '%U %S %M', LOSSLOG, 'convert', log, ...form];
    const { status, stderr } = spawnSync('/usr/bin/time', command, {
      encoding: 'utf8',
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    if (status !== 0) throw new Error(stderr);
    const [user = 0, system = 0, peakKb = 0] = (stderr.trimEnd().split('\n').at(-1) ?? '').split(' ').map(Number);
    const perSecond = Math.round(lines / (user + system));
    console.log(
      `${form[0] ?? 'text'}: ${lines} lines, ${bytes} bytes: ${perSecond} lines/s and core, ${peakKb} kB at most`,
    );
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
