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
    (message) => assert.fail(message),
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

test('out of file descriptors: an event goes on without a name, told, and the next second has it', () => {
  const told: string[] = [];
  let canList = false;
  let nowMs = 0;
  const list = (): Map<number, string> => {
    if (!canList) throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
    return new Map([[7, 'blue']]);
  };
  const names = new NetnsNames(
    (message) => told.push(message),
    list,
    () => nowMs,
  );
  assert.equal(nameOf(names, 7), undefined);
  assert.deepEqual(told, ['the names of network namespaces cannot be read: EMFILE: too many open files']);
  canList = true;
  nowMs = 1000;
  assert.equal(nameOf(names, 7), 'blue');
});
