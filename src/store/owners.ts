/** The owners of a slice: each set of the shared fields (schema.ts) once, rows hold its key. Keys begin at 1. */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { getOrMake } from '../base/map.ts';
import type { Event } from '../event/kinds.ts';
import { encodeRow, type StringKey } from './row.ts';
import { SHARED_COLUMNS } from './schema.ts';
import type { Bindable } from './sqlite.ts';

type Fields = Readonly<Record<string, unknown>>;

interface Known {
  readonly id: number;
  /** In the order of {@link SHARED_COLUMNS}. */
  readonly values: readonly unknown[];
}

/** What an entry costs in memory, roughly; its texts are the dictionary's. */
const ENTRY_BYTES = 200;
const NAMES = SHARED_COLUMNS.map(({ name }) => name);

export class Owners {
  readonly #key: StringKey;
  readonly #insert: StatementSync;
  /** By device, then by a number made of namespace and pid: few are compared field by field. */
  readonly #known = new Map<unknown, Map<number, Known[]>>();
  readonly #row: Bindable[] = Array(1 + NAMES.length).fill(null);
  #lastId: number;
  #count = 0;

  /** What the slice has already is not read: an owner that comes again gets another key, which harms nothing. */
  constructor(db: DatabaseSync, key: StringKey) {
    this.#key = key;
    this.#insert = db.prepare(`INSERT INTO owner VALUES (?, ${NAMES.map(() => '?').join()})`);
    const { lastId } = db.prepare('SELECT ifnull(max(id), 0) AS lastId FROM owner').get() as { lastId: number };
    this.#lastId = lastId;
  }

  /** Memory that the owners take, in bytes, estimated. */
  get bytes(): number {
    return this.#count * ENTRY_BYTES;
  }

  /** The key of the owner of an event, which is stored when it is new; null when nothing is known of it. */
  keyOf(event: Event): number | null {
    const fields = event as unknown as Fields;
    const alike = this.#alike(fields);
    for (const { id, values } of alike) if (isSame(values, fields)) return id;
    const values = NAMES.map((name) => fields[name]);
    if (values.every((value) => value === undefined)) return null;
    const id = ++this.#lastId;
    this.#row[0] = id;
    encodeRow(SHARED_COLUMNS, event, this.#key, this.#row, 1);
    this.#insert.run(...this.#row);
    this.#count++;
    alike.push({ id, values });
    return id;
  }

  #alike({ device, netns, pid }: Fields): Known[] {
    const ofDevice = getOrMake(this.#known, device, () => new Map<number, Known[]>());
    const number = ((pid as number | undefined) ?? 0) * 4096 + (((netns as number | undefined) ?? 0) % 4096);
    return getOrMake(ofDevice, number, () => []);
  }
}

function isSame(values: readonly unknown[], fields: Fields): boolean {
  for (let i = 0; i < NAMES.length; i++) if (values[i] !== fields[NAMES[i] as string]) return false;
  return true;
}
