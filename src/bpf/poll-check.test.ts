import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { pollWorks } from './poll-check.ts';

test('the poll that is installed works, and leaves no descriptor behind', async () => {
  // The event loop makes descriptors of its own at the first poll.
  assert.equal(await pollWorks(), true);
  const before = readdirSync('/proc/self/fd').length;
  for (let i = 0; i < 7; i++) assert.equal(await pollWorks(), true);
  assert.equal(readdirSync('/proc/self/fd').length, before);
});
