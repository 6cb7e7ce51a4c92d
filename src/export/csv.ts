/** Comma-separated values (RFC 4180): one table for all kinds, empty where a kind does not have a field or it is not known. */

import type { FieldType } from '../event/field.ts';
import { type Event, fieldsOf, KINDS } from '../event/kinds.ts';
import { valueText } from '../event/value-text.ts';
import type { EventFormat } from './format.ts';

const LINE_END = '\r\n';

/** The fields of every kind by name, in the order in which they are first met. Fields of one name have one form. */
const columns: ReadonlyMap<string, FieldType> = new Map([
  ['time', 'wall'],
  ['bootNs', 'u64'],
  ['kind', 'text'],
  ...KINDS.flatMap((kind) =>
    Object.entries(fieldsOf(kind)).map(([name, { type }]): [string, FieldType] => [name, type]),
  ),
]);

export const csv = (): EventFormat => ({
  begin: () => Buffer.from([...columns.keys()].join(',') + LINE_END),
  add: (event) => Buffer.from(rowOf(event) + LINE_END),
});

function rowOf(event: Event): string {
  const values = event as unknown as Record<string, unknown>;
  return Array.from(columns, ([name, type]) => {
    const value = values[name];
    return value === undefined ? '' : quoted(valueText(type, value));
  }).join(',');
}

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
