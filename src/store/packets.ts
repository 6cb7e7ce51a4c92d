/** The first bytes of dropped packets, beside the rows of `drop`. */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { DropEvent } from '../event/kinds.ts';
import { PACKET_BEGINS } from './schema.ts';

/**
 * Which packets are kept: `all`, or `some`: none of benign drops, and of others as many as a slice has room for. A packet of 66 bytes
 * adds 82 to the 72 of its row and 1 µs of CPU to its 4.
 */
export type PacketsKept = 'all' | 'some';

export interface PacketOptions {
  readonly keep: PacketsKept;
  /** Bytes of packets that a slice has room for, where some are kept. */
  readonly room: number;
}

/** Of a row beside its bytes: its key, header, length and place in the page. */
const ROW_BYTES = 16;

export class Packets {
  readonly #insert: StatementSync;
  readonly #keepsAll: boolean;
  #room: number;

  constructor(db: DatabaseSync, { keep, room }: PacketOptions) {
    this.#keepsAll = keep === 'all';
    this.#insert = db.prepare('INSERT INTO packet VALUES (?, ?, ?, ?)');
    const { used } = db.prepare(`SELECT ifnull(sum(${ROW_BYTES} + length(bytes)), 0) AS used FROM packet`).get() as {
      used: number;
    };
    this.#room = room - used;
  }

  /** @param id of the row of the drop */
  add(id: number, { packet, class: harm }: DropEvent): void {
    if (!packet) return;
    const { begin, length, bytes } = packet;
    const size = ROW_BYTES + bytes.length;
    if (!this.#keepsAll && (harm === 'benign' || size > this.#room)) return;
    this.#room -= size;
    this.#insert.run(id, PACKET_BEGINS.indexOf(begin), length, bytes);
  }
}
