import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MessageCutter } from './event-stream.ts';

const STREAM = 'retry: 2000\n\n: beat\n\nevent: events\ndata: [1]\n\nevent: lost\ndata:{"count":5}\ndata: x\n\n';

test('messages are the same however the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(STREAM.length)), (cuts) => {
      const cutter = new MessageCutter();
      const borders = [0, ...cuts.toSorted((a, b) => a - b), STREAM.length];
      const messages = borders.slice(1).flatMap((border, at) => cutter.take(STREAM.slice(borders[at], border)));
      assert.deepEqual(messages, [
        { event: 'events', data: '[1]' },
        { event: 'lost', data: '{"count":5}\nx' },
      ]);
    }),
  );
});
