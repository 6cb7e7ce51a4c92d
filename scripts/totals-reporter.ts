/**
 * A reporter for Node's test runner, for scripts/test.sh. Lines: `again FILE`, and before it `name PATTERN` for each test
 * that failed in that file (what `--test-name-pattern` takes); and at the end `PASSED FAILED SKIPPED` of the whole run.
 */

import type { TestEvent } from 'node:test/reporters';

const escaped = (name: string): string => name.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

export default async function* totals(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    if (event.type === 'test:fail') {
      const { name, file, details } = event.data;
      const { failureType } = details.error as { failureType?: string };
      // A suite fails with its tests. A file that ended before its end has its own name, and what failed in it is not known.
      if (failureType !== 'subtestsFailed' && name !== file) yield `name /(^| )${escaped(name)}$/\n`;
    }
    // A summary is sent for each file, and at the end one for all of them, which names no file.
    if (event.type !== 'test:summary') continue;
    const { file, success, counts } = event.data;
    const { tests, passed, skipped, todo } = counts;
    if (file === undefined) {
      // The rest failed or was cancelled by a time limit.
      yield `${passed} ${tests - passed - skipped - todo} ${skipped + todo}\n`;
    } else if (!success) {
      yield `again ${file}\n`;
    }
  }
}
