import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FieldPlaces, parseOffsets } from '../linux/field-offsets.ts';
import { conntrackFacts } from './conntrack-facts.ts';

/** As `losslog offset --json` tells them of Linux 6.18 (x86-64), which has connection tracking built in. */
const OFFSETS = [
  { struct: 'nf_conn', field: 'status', offset: 128, size: 8 },
  { struct: 'nf_conn', field: 'tuplehash[0].tuple', offset: 32, size: 40 },
  { struct: 'nf_conn', field: 'tuplehash[1].tuple', offset: 88, size: 40 },
  { struct: 'nf_conntrack_tuple', field: 'src.u3', offset: 0, size: 16 },
  { struct: 'nf_conntrack_tuple', field: 'src.u', offset: 16, size: 2 },
  { struct: 'nf_conntrack_tuple', field: 'dst.u3', offset: 20, size: 16 },
  { struct: 'nf_conntrack_tuple', field: 'dst.u', offset: 36, size: 2 },
];
const FACTS = { status: 128, original: 32, reply: 88 };

const places = (lines: readonly object[]): FieldPlaces =>
  parseOffsets(lines.map((line) => JSON.stringify(line)).join('\n'));
const NOTHING = places([]);
const never = (): FieldPlaces => assert.fail('no module is asked where the kernel itself knows');

test('of the kernel, else of a module, else nowhere', () => {
  assert.deepEqual(conntrackFacts(places(OFFSETS), never), FACTS);
  assert.deepEqual(
    conntrackFacts(NOTHING, () => places(OFFSETS)),
    FACTS,
  );
  assert.equal(
    conntrackFacts(NOTHING, () => NOTHING),
    undefined,
  );
});

test('tuples that are not as the kernel side reads them are not read', () => {
  for (const [i, line] of OFFSETS.entries()) {
    if (line.struct !== 'nf_conntrack_tuple') continue;
    assert.equal(conntrackFacts(places(OFFSETS.with(i, { ...line, offset: line.offset + 4 })), never), undefined);
  }
  const larger = OFFSETS.map((line) => (line.size === 40 ? { ...line, size: 44 } : line));
  assert.equal(conntrackFacts(places(larger), never), undefined);
});
