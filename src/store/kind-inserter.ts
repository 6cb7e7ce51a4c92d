/** Inserts events of one kind into its table, several rows a statement. */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Event, Kind } from '../event/kinds.ts';
import { encodeRow, type StringKey } from './row.ts';
import { type Column, columnsOf, hasOwner, quoted } from './schema.ts';
import type { Bindable } from './sqlite.ts';

/** Rows of one INSERT. For retransmissions (29 columns) 16 take 10 to 15 % less CPU than one; more rows no less. */
const ROWS = 16;

/** What a slice keeps beside the rows: under keys what they share, and what is more than a row. */
export interface Keys {
  text: StringKey;
  owner(event: Event): number | null;
  /** Called for each row, with its id. */
  onRow?(id: number, event: Event): void;
}

export class KindInserter {
  /** Key of the session in the slice's `session` table. */
  session = 0;
  readonly #columns: readonly Column[];
  readonly #keys: Keys;
  /** Columns before those of the fields: id, session, skew, owner. */
  readonly #head: number;
  readonly #many: StatementSync;
  readonly #one: StatementSync;
  readonly #rows: number;
  /** Of one {@link ROWS}-row INSERT; kept, since making it anew for each costs as much as encoding the rows. */
  readonly #parameters: Bindable[];
  #lastId: number;

  constructor(db: DatabaseSync, kind: Kind, keys: Keys) {
    this.#columns = columnsOf(kind);
    this.#keys = keys;
    this.#head = hasOwner(kind) ? 4 : 3;
    this.#parameters = Array(ROWS * this.#width).fill(null);
    const row = `(${Array(this.#width).fill('?').join()})`;
    this.#many = db.prepare(`INSERT INTO ${quoted(kind)} VALUES ${Array(ROWS).fill(row).join()}`);
    this.#one = db.prepare(`INSERT INTO ${quoted(kind)} VALUES ${row}`);
    const { lastId, rows } = db
      .prepare(`SELECT ifnull(max(id), -1) AS lastId, count(*) AS rows FROM ${quoted(kind)}`)
      .get() as { lastId: number; rows: number };
    this.#lastId = lastId;
    this.#rows = rows;
  }

  get #width(): number {
    return this.#head + this.#columns.length;
  }

  /** Rows that the table had when it was opened. */
  get rows(): number {
    return this.#rows;
  }

  /**
   * Inserts events in the order given.
   * @param ns time of each event since the hour began.
   * @returns by how much the latest comer was late, in ns: how far the id of a row is beyond its time at most.
   */
  insert(events: readonly Event[], ns: readonly number[]): number {
    const width = this.#width;
    const parameters = this.#parameters;
    let at = 0;
    let late = 0;
    for (let i = 0; i < events.length; i++) {
      const id = Math.max(ns[i] as number, this.#lastId + 1);
      const skew = (ns[i] as number) - id;
      parameters[at] = id;
      parameters[at + 1] = this.session;
      parameters[at + 2] = skew;
      if (this.#head === 4) parameters[at + 3] = this.#keys.owner(events[i] as Event);
      encodeRow(this.#columns, events[i] as Event, this.#keys.text, parameters, at + this.#head);
      this.#lastId = id;
      this.#keys.onRow?.(id, events[i] as Event);
      late = Math.max(late, -skew);
      at += width;
      if (at === parameters.length) {
        this.#many.run(...parameters);
        at = 0;
      }
    }
    for (let row = 0; row < at; row += width) this.#one.run(...parameters.slice(row, row + width));
    return late;
  }
}
