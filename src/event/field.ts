/**
 * One field of an event: the single place from which its TypeScript type, its JSON name and form, its column in the
 * store and its line in docs/events/ derive.
 */

import type { IpBytes } from '../base/ip.ts';

/**
 * How a value looks in memory, in JSON and in the store.
 *
 * | type   | memory           | JSON          | store                              |
 * | ------ | ---------------- | ------------- | ---------------------------------- |
 * | `int`  | number           | number        | INTEGER                            |
 * | `ratio`| number           | number        | REAL                               |
 * | `u64`  | bigint           | number, exact | INTEGER (two's complement)         |
 * | `wall` | bigint ns (UTC)  | RFC 3339, ns  | INTEGER                            |
 * | `ip`   | 4 or 16 bytes    | text          | BLOB                               |
 * | `text` | string           | string        | INTEGER, a key of the slice's dictionary |
 * | enum   | one of `values`  | string        | INTEGER, 1 + the position in `values`: append only |
 */
export type FieldType = 'int' | 'ratio' | 'u64' | 'wall' | 'ip' | 'text' | { readonly values: readonly string[] };

export interface Field {
  readonly type: FieldType;
  /** The unit of a number: `ns`, `us`, `ms`, `bytes`, `segments`, `events`. */
  readonly unit?: string;
  /** Always there. Every other field is absent when it is not known. */
  readonly required?: true;
  /** One sentence or two: meaning and where the value comes from. */
  readonly doc: string;
}

export type FieldTable = Readonly<Record<string, Field>>;

type ValueOf<T extends FieldType> = T extends 'int' | 'ratio'
  ? number
  : T extends 'u64' | 'wall'
    ? bigint
    : T extends 'ip'
      ? IpBytes
      : T extends 'text'
        ? string
        : T extends { readonly values: readonly (infer V)[] }
          ? V
          : never;

type RequiredNames<T extends FieldTable> = { [N in keyof T]: T[N]['required'] extends true ? N : never }[keyof T];

/** The object type that a field table describes. */
export type ObjectOf<T extends FieldTable> = { -readonly [N in RequiredNames<T>]: ValueOf<T[N]['type']> } & {
  -readonly [N in Exclude<keyof T, RequiredNames<T>>]?: ValueOf<T[N]['type']>;
};
