/** Events as NDJSON, by the field tables: the same names everywhere, absent when unknown. */

import { formatWall, type WallNs } from '../base/time.ts';
import type { FieldType } from './field.ts';
import { type Event, fieldsOf, KINDS, type Kind } from './kinds.ts';
import { isNumeric, valueText } from './value-text.ts';

/** One event as one line of JSON, without the newline. 64-bit numbers keep all their digits. */
export function toJson(event: Event): string {
  const values = event as unknown as Record<string, unknown>;
  let line = `{"time":"${formatWall(event.time as WallNs)}"`;
  for (const { name, type } of jsonFields[event.kind]) {
    const value = name === 'kind' ? event.kind : values[name];
    if (value !== undefined) line += `,"${name}":${jsonValue(type, value)}`;
  }
  return `${line}}`;
}

function jsonValue(type: FieldType, value: unknown): string {
  const text = valueText(type, value);
  return isNumeric(type) ? text : JSON.stringify(text);
}

/** Per kind, the fields in output order: `time` (written first by hand), `bootNs`, `kind`, then the rest. */
const jsonFields = Object.fromEntries(KINDS.map((kind) => [kind, orderOf(kind)])) as Record<
  Kind,
  { name: string; type: FieldType }[]
>;

function orderOf(kind: Kind): { name: string; type: FieldType }[] {
  const fields = Object.entries(fieldsOf(kind)).map(([name, { type }]) => ({ name, type }));
  const [bootNs, ...rest] = fields.filter(({ name }) => name !== 'time');
  if (!bootNs) throw new Error(`kind ${kind} has no fields`);
  return [bootNs, { name: 'kind', type: 'text' }, ...rest];
}
