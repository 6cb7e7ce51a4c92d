import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFilter } from './filter-text.ts';

const CASES: readonly [string, object | undefined][] = [
  ['', undefined],
  ['10.1.2.3', { peer: '10.1.2.3' }],
  ['10.1.2.0/24', { peer: '10.1.2.0/24' }],
  ['10.1.2.3:443', { peer: '10.1.2.3', port: '443' }],
  ['2001:db8::1', { peer: '2001:db8::1' }],
  ['2001:db8::/32', { peer: '2001:db8::/32' }],
  ['[2001:db8::1]:443', { peer: '2001:db8::1', port: '443' }],
  [':443', { port: '443' }],
  ['NETFILTER_DROP', { reason: 'NETFILTER_DROP' }],
  ['c0ffee777777', { container: 'c0ffee777777' }],
  ['pid=42', { pid: '42' }],
  ['location: nf_hook_slow', { location: 'nf_hook_slow' }],
  ['nginx', { process: 'nginx' }],
  ['redis-server', { process: 'redis-server' }],
  ['colour=red', { process: 'colour=red' }],
];

for (const [text, filter] of CASES) test(`"${text}"`, () => assert.deepEqual(readFilter(text), filter));
