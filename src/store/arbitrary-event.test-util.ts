/** Any event that the field tables allow, for property tests. */

import fc from 'fast-check';
import { bootNs, NS_PER_HOUR, NS_PER_S, wallNs } from '../base/time.ts';
import type { FieldType } from '../event/field.ts';
import { type CapturedPacket, type Event, fieldsOf, KINDS, type Kind } from '../event/kinds.ts';

/** 2026-11-22T20:00:00Z */
export const EPOCH = wallNs(1_795_377_600n * NS_PER_S);

const HOSTILE = ['', '\0', 'a\0b', '\u001b[31m', '\u202e', "'; DROP TABLE meta; --", '%', '"', '\u{1f4a9}', 'A', 'a'];

const ip = fc.oneof(
  fc.constantFrom(Uint8Array.of(10, 0, 0, 1), Uint8Array.of(10, 0, 0, 2), Uint8Array.of(10, 0, 1, 255)),
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
);

const text = fc.oneof(
  fc.constantFrom(...HOSTILE, 'nginx', 'NGINX', 'curl', 'NETFILTER_DROP', 'abcdef0123', 'abcd', 'nf_hook_slow+0x3'),
  fc.string({ unit: 'binary', maxLength: 40 }),
);

const u64 = fc.oneof(
  fc.constantFrom(0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);

const int = fc.oneof(
  fc.constantFrom(0, 1, 443, 2 ** 31, 2 ** 32 - 1, Number.MAX_SAFE_INTEGER),
  fc.nat({ max: 2 ** 31 - 1 }),
);

/** Times in three hours, many of them equal or next to each other or on the edge of an hour. */
export const time = fc
  .oneof(
    fc.bigInt({ min: 0n, max: 5n }),
    fc.bigInt({ min: NS_PER_HOUR - 3n, max: NS_PER_HOUR + 3n }),
    fc.bigInt({ min: 0n, max: 3n * NS_PER_HOUR - 1n }),
  )
  .map((offset) => wallNs(EPOCH + offset));

function anyValueOf(type: FieldType): fc.Arbitrary<unknown> {
  switch (type) {
    case 'int':
      return int;
    case 'ratio':
      return fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 });
    case 'u64':
      return u64.map(bootNs);
    case 'wall':
      return fc.oneof(time, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));
    case 'ip':
      return ip;
    case 'text':
      return text;
    default:
      return fc.constantFrom(...type.values);
  }
}

const packet: fc.Arbitrary<CapturedPacket> = fc.record(
  {
    begin: fc.constantFrom('ethernet', 'ip'),
    length: fc.nat({ max: 2 ** 20 }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 256 }),
  },
  { noNullPrototype: true },
);

/** Any event of a kind: each optional field is absent or any value of its type. */
export function eventOf(kind: Kind): fc.Arbitrary<Event> {
  const model: Record<string, fc.Arbitrary<unknown>> = { kind: fc.constant(kind) };
  const requiredKeys = ['kind'];
  for (const [name, { type, required }] of Object.entries(fieldsOf(kind))) {
    model[name] = name === 'time' ? time : isCount(name) ? fc.nat({ max: 100_000 }) : anyValueOf(type);
    if (required) requiredKeys.push(name);
  }
  if (kind === 'drop') model.packet = packet;
  return fc.record(model, { requiredKeys, noNullPrototype: true }) as unknown as fc.Arbitrary<Event>;
}

/** Fields that rollups add up: their sums must stay numbers that are exact. */
const isCount = (name: string): boolean => ['events', 'segments', 'bytes', 'length', 'count'].includes(name);

export const anyEvent: fc.Arbitrary<Event> = fc.oneof(...KINDS.map(eventOf));
