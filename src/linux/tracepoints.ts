/** Every tracepoint of the running kernel. */

import { basename } from 'node:path';
import { listEventGroups, listEvents, readEventFormat, type TraceFormat } from './tracefs.ts';

export interface ListedTracepoint extends TraceFormat {
  readonly group: string;
}

/** A pattern as `perf list` takes it: `tcp:*`; a word without `:` and `*` matches every name that contains it. */
export function tracepointPattern(text: string): (group: string, event: string) => boolean {
  const isWord = !/[*?:]/.test(text);
  const glob = isWord ? `*${text}*` : text.includes(':') ? text : `*:${text}`;
  const source = glob
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const regex = new RegExp(`^${source}$`);
  return (group, event) => regex.test(`${group}:${event}`);
}

/** In order of group and name. */
export function* listTracepoints(
  tracefs: string,
  matches: (group: string, event: string) => boolean,
): Generator<ListedTracepoint> {
  for (const group of listEventGroups(tracefs)) {
    for (const event of listEvents(tracefs, group)) {
      if (!matches(group, event)) continue;
      const format = readEventFormat(tracefs, group, event);
      if (format) yield { ...format, group, name: basename(event) };
    }
  }
}
