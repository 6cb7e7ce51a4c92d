/** Text of the kprobe events that `losslog kprobe --print` defines: what they tell beyond port, dst and state. */

import { PROBE_DEFINITIONS, valueTypes } from '../tracefs/kprobe-definitions.ts';
import { decodeEntry, type ProbeNaming } from '../tracefs/kprobe-events.ts';
import type { FieldValues } from '../tracefs/trace-fields.ts';
import { badField, type Key, type TextFields } from './fields.ts';
import type { TraceLine } from './line.ts';
import type { Decode, Endian, LogEvent } from './log-event.ts';
import { ownText } from './text-memo.ts';

/** A field that every definition has and nobody writes by hand, by which its events are known. */
const MARK = / (?:family|users)=\d+ /;

/** By the event's name; the returns of functions tell nothing without their entries, which are told. */
const decoders: ReadonlyMap<string, Decode> = new Map(
  PROBE_DEFINITIONS.filter(({ isReturn }) => !isReturn).map((definition) => {
    const types = valueTypes(definition);
    const decode: Decode = (fields, endian) => decodeOwn(definition.event, new ProbeText(fields, types, endian));
    return [definition.event, decode];
  }),
);

/** @returns undefined for an event that another hand has defined */
export function ownDecoder(name: string, text: string): Decode | undefined {
  const decode = decoders.get(name);
  return decode && MARK.test(text) ? decode : undefined;
}

/** More CPUs than any log names; a bound for what hostile text may hold. */
const MAX_CPUS = 4096;

/** tcp_retransmit_skb() calls __tcp_retransmit_skb() at once, and both are probed: one resend, told by two lines with equal values. */
export class Resends {
  readonly #outer = new Map<number, string>();

  /** Whether the line is the second of one resend. */
  isToldBefore({ cpu = -1, name, text }: TraceLine): boolean {
    if (name === 'tcp_resend') return this.#outer.get(cpu) === valuesOf(text);
    if (name !== 'tcp_retransmit' || !MARK.test(text)) return false;
    if (this.#outer.size >= MAX_CPUS) this.#outer.clear();
    this.#outer.set(cpu, ownText(valuesOf(text)));
    return false;
  }
}

const valuesOf = (text: string): string => text.slice(text.indexOf(' port='));

/** The kernel that wrote the log had the names; the numbers stand for them, as where a tracepoint prints a number. */
const NAMING: ProbeNaming = {
  dropReason: (code) => ({ reason: String(code) }),
  symbol: (address) => (address >> 48n === 0xffffn ? `0x${address.toString(16)}` : undefined),
};

function decodeOwn(event: string, fields: FieldValues): LogEvent | undefined {
  const told = decodeEntry(event, fields, NAMING) as LogEvent | undefined;
  if (told?.kind === 'drop') told.class = 'unknown';
  return told;
}

const NUMBER = /^(?:\d{1,20}|0x[0-9a-f]{1,16})$/;
const ARRAY = /^\{((?:0x[0-9a-f]{1,16},?)+)\}$/;
const WORD_BYTES = 8;

/** The values of one event as kprobe_events prints them (print_type_*() in kernel/trace/trace_probe.c). */
class ProbeText implements FieldValues {
  readonly #fields: TextFields;
  readonly #types: ReadonlyMap<string, string>;
  readonly #endian: Endian;

  constructor(fields: TextFields, types: ReadonlyMap<string, string>, endian: Endian) {
    this.#fields = fields;
    this.#types = types;
    this.#endian = endian;
  }

  number(name: string): number | undefined {
    const value = this.u64(name);
    return value === undefined ? undefined : Number(value);
  }

  u64(name: string): bigint | undefined {
    const text = this.#fields.get(keyOf(name));
    if (text === undefined) return undefined;
    const value = NUMBER.test(text) ? BigInt(text) : -1n;
    if (value !== BigInt.asUintN(this.#bitsOf(name), value)) throw badField(keyOf(name), text);
    return value;
  }

  /** Of a bit field as of the byte that holds it. */
  #bitsOf(name: string): number {
    return Number(/^[ux](\d+)$/.exec(this.#types.get(name) ?? '')?.[1] ?? 8);
  }

  bytes(name: string): Buffer | undefined {
    const type = this.#types.get(name) ?? '';
    if (type.includes('[')) return this.#words(name);
    const value = this.u64(name);
    return value === undefined ? undefined : this.#inMemory(value).subarray(...this.#part(this.#bitsOf(name) / 8));
  }

  text(name: string): string | undefined {
    const quoted = /^"(.+)"$/.exec(this.#fields.get(keyOf(name)) ?? '');
    return quoted?.[1];
  }

  #words(name: string): Buffer | undefined {
    const text = this.#fields.get(keyOf(name));
    if (text === undefined) return undefined;
    const words = ARRAY.exec(text)?.[1]?.split(',');
    if (!words) throw badField(keyOf(name), text.slice(0, 2 * WORD_BYTES));
    return Buffer.concat(words.map((word) => this.#inMemory(BigInt(word))));
  }

  #inMemory(value: bigint): Buffer {
    const bytes = Buffer.alloc(WORD_BYTES);
    if (this.#endian === 'little') bytes.writeBigUInt64LE(value);
    else bytes.writeBigUInt64BE(value);
    return bytes;
  }

  /** Where the bytes of a smaller number lie among those of a word. */
  #part(size: number): [begin: number, end: number] {
    return this.#endian === 'little' ? [0, size] : [WORD_BYTES - size, WORD_BYTES];
  }
}

const keyOf = (name: string): Key => `${name}=`;
