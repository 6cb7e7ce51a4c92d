import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { giveBackExecutable, unchangedMappings } from './executable-pages.ts';

const mapping = (range: string, rights: string, path: string, anonymousKb: number): string =>
  `${range} ${rights} 00000000 fe:00 5312941                            ${path}
Size:               3352 kB
Rss:                3352 kB
Anonymous:         ${String(anonymousKb).padStart(6)} kB
VmFlags: rd ex mr mw me
`;

test('only what is as it is in the file, of that file, and not writable', () => {
  const smaps = [
    mapping('00400000-00746000', 'r--p', '/usr/bin/node', 0),
    mapping('0074a000-03044000', 'r-xp', '/usr/bin/node', 0),
    mapping('06b52000-06b56000', 'r--p', '/usr/bin/node', 8),
    mapping('06b56000-06b7d000', 'rw-p', '/usr/bin/node', 0),
    mapping('06b7d000-06b9d000', 'rw-p', '[heap]', 0),
    mapping('7f5d74000000-7f5d93dc0000', 'rwxp', '', 960),
    mapping('7f5db4444000-7f5db459a000', 'r-xp', '/usr/lib/libc.so.6', 0),
    mapping('ffffffffff600000-ffffffffff601000', 'r-xp', '/usr/bin/node', 0),
  ].join('');
  assert.deepEqual(unchangedMappings(smaps, '/usr/bin/node'), [
    { start: 0x400000n, length: 0x346000n },
    { start: 0x74a000n, length: 0x28fa000n },
    { start: 0xffffffffff600000n, length: 0x1000n },
  ]);
});

test('a process that gave them back goes on, with less', () => {
  const mappedKb = (): number => Number(/^RssFile:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
  const before = mappedKb();
  giveBackExecutable();
  const after = mappedKb();
  assert.ok(after < before / 2, `${before} kB, then ${after}`);
  assert.equal(JSON.stringify(JSON.parse('{"a":[1,"b",null]}')), '{"a":[1,"b",null]}');
});
