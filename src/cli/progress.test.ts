import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Progress } from './progress.ts';

function shown(isTTY: boolean, use: (progress: Progress, tick: () => void) => void): string {
  let text = '';
  let nowMs = 0;
  const write = (piece: string | Uint8Array): boolean => {
    text += piece;
    return true;
  };
  use(new Progress({ isTTY, write } as NodeJS.WriteStream, () => nowMs), () => {
    nowMs += 200;
  });
  return text;
}

test('a bar that is drawn again five times a second at most, and taken away', () => {
  const text = shown(true, (progress, tick) => {
    progress.show(0.5, '7 events');
    progress.show(0.6, '8 events');
    tick();
    progress.show(undefined, '9 events');
    progress.clear();
    progress.clear();
  });
  assert.equal(text, `\r\x1b[K[${'#'.repeat(15)}${'.'.repeat(15)}] 50 % 7 events\r\x1b[K9 events\r\x1b[K`);
});

test('nothing where stderr is no terminal', () => {
  assert.equal(
    shown(false, (progress) => {
      progress.show(1, '');
      progress.clear();
    }),
    '',
  );
});
