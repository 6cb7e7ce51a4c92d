import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TextMemo } from './text-memo.ts';

test('what was made is made once, and forgotten when there is too much of it', () => {
  let made = 0;
  const memo = new TextMemo((text) => {
    made++;
    return text === 'none' ? undefined : { text };
  });
  const first = memo.of('a');
  assert.equal(memo.of('a'), first);
  assert.equal(made, 1);
  assert.equal(memo.of('none'), undefined);
  assert.equal(memo.of('none'), undefined);
  assert.equal(made, 2);
  for (let i = 0; i < 5000; i++) assert.deepEqual(memo.of(`${i}`), { text: `${i}` });
  assert.notEqual(memo.of('a'), first);
});
