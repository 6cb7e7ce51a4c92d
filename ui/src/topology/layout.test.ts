import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layOut } from './layout.ts';

const node = (kind: string, name: string, drops = 1) => ({
  id: `${kind}:${name}`,
  kind,
  label: name,
  drops,
  retransmissions: 0,
});
const edge = (from: string, to: string) => ({ from, to, drops: 1, retransmissions: 1 });

test('columns lead from the inside of the host to the outside', () => {
  const { columns, placed } = layOut({ nodes: [node('peer', 'b'), node('process', 'a')], edges: [] }, 900);
  assert.deepEqual(
    columns.map(({ kind }) => kind),
    ['process', 'peer'],
  );
  assert.ok((placed.get('process:a')?.x ?? 0) < (placed.get('peer:b')?.x ?? 0));
});

test('edges that need not cross do not', () => {
  const names = ['a', 'b', 'c', 'd'];
  const nodes = names.flatMap((name) => [node('process', name), node('peer', name, name.charCodeAt(0))]);
  const { placed } = layOut({ nodes, edges: names.map((name) => edge(`process:${name}`, `peer:${name}`)) }, 900);
  const order = (kind: string) =>
    names.toSorted((x, y) => (placed.get(`${kind}:${x}`)?.y ?? 0) - (placed.get(`${kind}:${y}`)?.y ?? 0));
  assert.deepEqual(order('process'), order('peer'));
});

test('what finds no room is counted, and its edges are not drawn', () => {
  const peers = Array.from({ length: 30 }, (_, at) => node('peer', String(at), 100 - at));
  const edges = peers.map(({ id }) => edge('process:a', id));
  const { placed, leftOut, edges: drawn } = layOut({ nodes: [node('process', 'a'), ...peers], edges }, 900);
  assert.equal(leftOut, 6);
  assert.equal(placed.size, 25);
  assert.equal(drawn.length, 24);
});
