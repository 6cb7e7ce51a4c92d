/**
 * Runs what commands run, so that Node keeps what it compiled (NODE_COMPILE_CACHE): of the bundle by which a checkout answers, and of
 * every module, for when the sources have changed. A recorder that finds all of it there never loads the type stripper, which is 30 MB of memory.
 */

import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { wallFromMs } from '../src/base/time.ts';
import type { Event } from '../src/event/kinds.ts';

/** These run when they are loaded. */
const PROGRAMS = /^src\/(cli\/main|store\/seal-worker)\.ts$|\.test(-util)?\.ts$/;

for (const file of globSync('src/**/*.ts')) {
  if (PROGRAMS.test(file)) continue;
  // A module that does not load is for the tests to complain of: setting up goes on.
  await import(new URL(`../${file}`, import.meta.url).href).catch(() => undefined);
}
flushCompileCache();

// Of a file Node keeps the functions that its first run called.
const store = mkdtempSync(join(tmpdir(), 'losslog-warm-'));
try {
  const { StoreWriter } = await import('../src/store/writer.ts');
  const writer = StoreWriter.open(store, { bootId: 'warm', losslogVersion: '0', kernel: '0', host: 'warm' });
  const address = Uint8Array.of(192, 0, 2, 1);
  const drop = { kind: 'drop', time: wallFromMs(Date.now()), family: 'ipv4', src: address, dst: address, reason: 'X' };
  writer.write([drop as unknown as Event]);
  writer.close();
  spawnSync('bin/losslog', ['show', '--store', store, '--peer', '192.0.2.1']);
} finally {
  rmSync(store, { recursive: true });
}
