/** Events as NDJSON, by the field tables: the same names everywhere, absent when unknown. */

import { formatWall, type WallNs } from '../base/time.ts';
import type { FieldType } from './field.ts';
import { type Event, type FieldsOf, fieldsOf, KINDS, type Kind, type UntimedEvent } from './kinds.ts';
import { isNumeric, valueText } from './value-text.ts';

type TimeField = 'time' | 'from' | 'until';
type JsonValue<V> = V extends Uint8Array ? string : V extends bigint ? number : V;
type JsonOf<E> = { [N in keyof E]: N extends TimeField ? string : JsonValue<E[N]> };
/**
 * An event as {@link toJson} writes it and `JSON.parse` reads it: addresses and times are text; 64-bit numbers are
 * doubles here, exact up to 2^53.
 */
export type JsonEvent<K extends Kind = Kind> = K extends Kind ? JsonOf<FieldsOf<K>> : never;

/** One event as one line of JSON, without the newline. 64-bit numbers keep all their digits. */
export function toJson(event: Event | UntimedEvent): string {
  return `{${jsonTimes(event.time as WallNs | undefined, event.bootNs)}${jsonFields(event)}}`;
}

/** `"time":"…","bootNs":…,`: the begin of the object, as far as it is known. */
export function jsonTimes(time: WallNs | undefined, bootNs: bigint | undefined): string {
  return `${time === undefined ? '' : `"time":"${formatWall(time)}",`}${bootNs === undefined ? '' : `"bootNs":${bootNs},`}`;
}

/** All fields behind the times. */
export function jsonFields(event: Omit<Event, 'time'>): string {
  return `"kind":"${event.kind}"${inGivenOrder(event) ?? inTableOrder(event)}`;
}

type Values = Readonly<Record<string, unknown>>;

/** The fields as they lie in the event, where that is their order already: the table is four times as long as most events. */
function inGivenOrder(event: Omit<Event, 'time'>): string | undefined {
  const values = event as unknown as Values;
  const fields = fieldsByName[event.kind];
  let line = '';
  let last = 0;
  for (const name in values) {
    const value = values[name];
    if (value === undefined || ELSEWHERE.has(name)) continue;
    const field = fields.get(name);
    if (!field || field.at < last) return undefined;
    last = field.at;
    line += field.key + jsonValue(field.type, value);
  }
  return line;
}

function inTableOrder(event: Omit<Event, 'time'>): string {
  const values = event as unknown as Values;
  let line = '';
  for (const { name, type, key } of fieldsByName[event.kind].values()) {
    const value = values[name];
    if (value !== undefined) line += key + jsonValue(type, value);
  }
  return line;
}

function jsonValue(type: FieldType, value: unknown): string {
  const text = valueText(type, value);
  if (isNumeric(type)) return text;
  return type === 'text' ? JSON.stringify(text) : `"${text}"`;
}

interface JsonField {
  readonly name: string;
  readonly type: FieldType;
  /** Its place in the output. */
  readonly at: number;
  /** `,"name":` */
  readonly key: string;
}

/** Written before the others, in this order. */
const LEADING: ReadonlySet<string> = new Set(['time', 'bootNs', 'kind']);
/** Not among the fields that follow. */
const ELSEWHERE: ReadonlySet<string> = new Set([...LEADING, 'packet']);

/** Per kind, the fields that follow, in output order. */
const fieldsByName = Object.fromEntries(KINDS.map((kind) => [kind, orderOf(kind)])) as unknown as Record<
  Kind,
  ReadonlyMap<string, JsonField>
>;

function orderOf(kind: Kind): Map<string, JsonField> {
  const fields = Object.entries(fieldsOf(kind)).filter(([name]) => !LEADING.has(name));
  return new Map(fields.map(([name, { type }], at) => [name, { name, type, at, key: `,"${name}":` }]));
}
