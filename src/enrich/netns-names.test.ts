import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PacketEvent } from '../event/kinds.ts';
import { NetnsNames } from './netns-names.ts';

const nameOf = (names: NetnsNames, netns?: number): string | undefined => {
  const event = { kind: 'drop', time: 0n, class: 'loss', ...(netns === undefined ? {} : { netns }) } as PacketEvent;
  names.resolve(event);
  return event.netnsName;
};

test('a name outlives its namespace, a new one is found within a second', () => {
  let listed = new Map([[7, 'blue']]);
  let reads = 0;
  let nowMs = 0;
  const names = new NetnsNames(
    () => {
      reads++;
      return listed;
    },
    () => nowMs,
  );
  assert.deepEqual([nameOf(names), reads], [undefined, 0]);
  assert.deepEqual([nameOf(names, 7), nameOf(names, 8), reads], ['blue', undefined, 1]);
  listed = new Map([[8, 'green']]);
  nowMs = 999;
  assert.deepEqual([nameOf(names, 8), reads], [undefined, 1]);
  nowMs = 1000;
  assert.deepEqual([nameOf(names, 8), nameOf(names, 7), reads], ['green', 'blue', 2]);
});
