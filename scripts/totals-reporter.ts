/** A reporter for Node's test runner: one line `PASSED FAILED SKIPPED` for the whole run. */

import type { TestEvent } from 'node:test/reporters';

export default async function* totals(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    // A summary is sent for each file, and at the end one for all of them, which names no file.
    if (event.type !== 'test:summary' || event.data.file !== undefined) continue;
    const { tests, passed, skipped, todo } = event.data.counts;
    // The rest failed or was cancelled by a time limit.
    yield `${passed} ${tests - passed - skipped - todo} ${skipped + todo}\n`;
  }
}
