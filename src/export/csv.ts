/** Comma-separated values (RFC 4180): one table for all kinds, empty where a kind does not have a field or it is not known. */

import { escapeText } from '../base/escape.ts';
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
    if (value === undefined) return '';
    const text = valueText(type, value);
    return quoted(type === 'text' ? inert(text) : text);
  }).join(',');
}

/** What a spreadsheet takes for a formula (OWASP, "CSV Injection"). */
const FORMULA = /^[=+\-@]/;

/** A name from outside as a terminal and a spreadsheet show it and nothing else: controls as escapes, an apostrophe before a formula. */
function inert(text: string): string {
  const escaped = escapeText(text);
  return FORMULA.test(escaped) ? `'${escaped}` : escaped;
}

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
