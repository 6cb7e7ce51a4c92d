import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Heap } from './heap.ts';

test('items come out in order, however pushes and pops alternate', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer(), { freq: 3 })), (steps) => {
      const heap = new Heap<number>((a, b) => a - b);
      let model: number[] = [];
      for (const step of steps) {
        if (step === null) {
          assert.equal(heap.peek(), model[0]);
          assert.equal(heap.pop(), model.shift());
        } else {
          heap.push(step);
          model = [...model, step].sort((a, b) => a - b);
        }
        assert.equal(heap.size, model.length);
      }
    }),
  );
});
