import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { parseCidr } from '../base/ip.ts';
import { wallNs } from '../base/time.ts';
import type { Filter } from '../event/filter.ts';
import type { ResetEvent } from '../event/kinds.ts';
import { EPOCH } from './arbitrary-event.test-util.ts';
import { planOf } from './plan.ts';
import { StoreReader } from './reader.ts';
import { indexSql } from './schema.ts';
import { listSlices, type SliceFile } from './slice-name.ts';
import { SliceReader } from './slice-reader.ts';
import { openWriter, temporaryDirectory } from './temporary-store.test-util.ts';

/** 6,000 events of one host; every 1,000th with a peer and a process of its own. */
const events = Array.from(
  { length: 6000 },
  (_, i): ResetEvent => ({
    kind: 'reset',
    time: wallNs(EPOCH + BigInt(i)),
    direction: 'sent',
    src: Uint8Array.of(10, 0, 0, 1),
    dst: i % 1000 === 0 ? Uint8Array.of(192, 168, 0, i / 1000) : Uint8Array.of(10, 0, 0, 2),
    process: i % 1000 === 0 ? 'cron' : 'nginx',
  }),
);

function queryPlan(slice: SliceReader, filter: Filter): string {
  const plan = planOf(slice, 'reset', filter);
  if (!plan) return 'none';
  const sql = `EXPLAIN QUERY PLAN SELECT ${slice.select('reset')} ${plan.from} AND id < ? ORDER BY id DESC`;
  return slice
    .all(sql, [...plan.parameters, 1e15])
    .map((row) => row[3])
    .join('; ');
}

async function sealedStore(t: TestContext): Promise<string> {
  const dir = temporaryDirectory(t);
  const writer = openWriter(dir, { maxSliceRows: events.length });
  writer.write(events);
  writer.flush();
  await writer.sealed();
  writer.close();
  return dir;
}

const open = (dir: string): SliceReader => SliceReader.open(dir, listSlices(dir)[0] as SliceFile) as SliceReader;

const rare = { peer: parseCidr('192.168.0.0/16') };
const frequent = { peer: parseCidr('10.0.0.1') };
const SCAN = 'SEARCH reset USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)';

test('few rows are fetched by their ids, many by reading the table in its order', async (t) => {
  const dir = await sealedStore(t);
  const slice = open(dir);
  for (const filter of [rare, { process: 'cron' }]) {
    assert.match(queryPlan(slice, filter), /^SEARCH reset USING INTEGER PRIMARY KEY \(rowid=\?\).*json_each/);
  }
  assert.equal(queryPlan(slice, frequent), SCAN);
  assert.match(queryPlan(slice, { process: 'nginx' }), /^SEARCH reset USING INTEGER PRIMARY KEY .*SCAN owner/);
  for (const filter of [{ process: 'apache' }, { peer: parseCidr('203.0.113.1') }, { port: 443 }, { pid: 1 }]) {
    assert.equal(queryPlan(slice, filter), 'none');
  }
  slice.close();
  compareAnswers(dir);
});

test('a slice that an earlier release sealed is asked through its indexes', async (t) => {
  const dir = await sealedStore(t);
  const db = new DatabaseSync(join(dir, listSlices(dir)[0]?.file ?? ''));
  db.exec(['DROP TABLE packed', ...indexSql('reset')].join(';'));
  db.close();
  const slice = open(dir);
  assert.match(
    queryPlan(slice, rare),
    /SEARCH reset USING COVERING INDEX reset_src .*SEARCH reset USING COVERING INDEX reset_dst /,
  );
  assert.equal(queryPlan(slice, frequent), SCAN);
  assert.match(queryPlan(slice, { process: 'nginx' }), /^SEARCH reset USING INTEGER PRIMARY KEY .*SCAN owner/);
  assert.match(queryPlan(slice, { process: 'cron' }), /SEARCH reset USING COVERING INDEX reset_owner .*SCAN owner/);
  assert.equal(queryPlan(slice, { process: 'apache' }), 'none');
  assert.equal(queryPlan(slice, { peer: parseCidr('203.0.113.1') }), 'none');
  slice.close();
  compareAnswers(dir);
});

function compareAnswers(dir: string): void {
  const reader = StoreReader.open(dir);
  const found = (filter: Filter) => [...reader.events(filter, { order: 'oldest' })];
  assert.deepEqual(
    found(rare),
    events.filter((_, i) => i % 1000 === 0),
  );
  assert.deepEqual(found(frequent), events);
  const until = wallNs(EPOCH + 2001n);
  assert.deepEqual(
    found({ ...rare, until }).map(({ time }) => time - EPOCH),
    [0n, 1000n, 2000n],
  );
  reader.close();
}
