/** Sealing: what is done to a slice once nothing more will be written to it. */

import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { KINDS } from '../event/kinds.ts';
import { Addresses } from './addresses.ts';
import { sumUpHour } from './hour-sums.ts';
import { packColumns } from './pack-columns.ts';
import { isPackedKind } from './packed-columns.ts';
import { indexSql, quoted } from './schema.ts';

/**
 * Packs the columns, builds indexes and the rollups of the hour, empties the -wal into the database and leaves WAL mode, so that the slice is one plain file
 * that can be read where nothing may be written. May be repeated; takes about 2 µs an event.
 *
 * @throws what SQLite throws: busy while another process reads the slice, disk full, ….
 */
export function sealSlice(path: string): void {
  // mode=rw: a slice that retention has removed meanwhile must not be made anew.
  const db = new DatabaseSync(`${pathToFileURL(path).href}?mode=rw`, { timeout: 5000 });
  try {
    db.exec('PRAGMA synchronous = FULL; PRAGMA cache_size = -2000; PRAGMA temp_store = MEMORY; BEGIN IMMEDIATE');
    for (const kind of KINDS) {
      const isUsed = db.prepare(`SELECT 1 FROM ${quoted(kind)} LIMIT 1`).get() !== undefined;
      if (isUsed && !isPackedKind(kind)) for (const statement of indexSql(kind)) db.exec(statement);
    }
    const addresses = new Addresses();
    packColumns(db, addresses);
    sumUpHour(db, addresses);
    db.exec('UPDATE meta SET sealed = 1; COMMIT; PRAGMA wal_checkpoint(TRUNCATE)');
    db.exec('PRAGMA journal_mode = DELETE');
  } finally {
    db.close();
  }
}
