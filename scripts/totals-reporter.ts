/**
 * A reporter for Node's test runner: a line `PASSED FAILED SKIPPED FILE` for each file in which something failed, and one
 * `PASSED FAILED SKIPPED` for the whole run.
 */

import type { TestEvent } from 'node:test/reporters';

export default async function* totals(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    // A summary is sent for each file, and at the end one for all of them, which names no file.
    if (event.type !== 'test:summary') continue;
    const { file, success, counts } = event.data;
    if (file !== undefined && success) continue;
    const { tests, passed, skipped, todo } = counts;
    // The rest failed or was cancelled by a time limit.
    yield `${[passed, tests - passed - skipped - todo, skipped + todo, file].join(' ').trim()}\n`;
  }
}
