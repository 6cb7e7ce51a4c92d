/** The story of one connection. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSocketAddress } from '../base/socket-address.ts';
import type { Event } from '../event/kinds.ts';
import { connectionStory } from './story.ts';
import type { StoryStep } from './types.ts';
import { at, drop, droppedAck, resent, storeOf } from './why.test-util.ts';

const CLIENT = '10.0.0.1:40000';
const SERVER = '10.0.0.9:443';

test('behind NAT it is told whole under each of its names, and of nobody else', (t) => {
  const [src, sport] = [Uint8Array.of(192, 0, 2, 1), 1024];
  const [dst, dport] = [Uint8Array.of(10, 1, 0, 5), 8443];
  const nat = `${CLIENT}>${SERVER} 192.0.2.1:1024>10.1.0.5:8443`;
  const events: Event[] = [
    drop(0, { src, sport, dst, dport, nat }),
    // its source is not translated yet
    drop(100, { dst, dport, nat, seq: 2000, endSeq: 3000 }),
    drop(150, { src, sport: 1025, dst, dport, nat: nat.replace('40000', '40001').replace('1024', '1025') }),
    resent(200),
    { ...droppedAck(300, 2000), src: dst, sport: dport, dst: src, dport: sport },
  ];
  const reader = storeOf(t, events);
  const told = (a: string, b: string): [number, StoryStep['way']][] => {
    const { steps, summary } = connectionStory(
      reader,
      parseSocketAddress(a),
      parseSocketAddress(b),
      {},
      { now: at(9000) },
    );
    assert.equal(summary.filter((text) => text.startsWith('NAT')).length, 1);
    return steps.map(({ event, way }) => [Number(((event.time as bigint) - at(0)) / 1_000_000n), way]);
  };
  const steps: [number, StoryStep['way']][] = [
    [0, 'right'],
    [100, 'right'],
    [200, 'right'],
    [300, 'left'],
  ];
  assert.deepEqual(told(CLIENT, SERVER), steps);
  assert.deepEqual(told('192.0.2.1:1024', '10.1.0.5:8443'), steps);
  const mirrored = steps.map(([time, way]) => [time, way === 'right' ? 'left' : 'right']);
  assert.deepEqual(told(SERVER, CLIENT), mirrored);
});
