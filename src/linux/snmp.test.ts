import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ProcText } from './proc-text.ts';
import { CounterTable } from './snmp.ts';

test('pairs of lines become the counters that were asked for', () => {
  const table = new CounterTable(['Udp.NoPorts', 'Tcp.RetransSegs', 'Tcp.Missing', 'Tcp.MaxConn']);
  const text = (retransmitted: number) => `Tcp: RtoMax MaxConn RetransSegs
Tcp: 120000 -1 ${retransmitted}
Udp: InDatagrams NoPorts
Udp: 5 3
`;
  for (const retransmitted of [7, 2 ** 53 - 1]) {
    const values = new Float64Array(4).fill(Number.NaN);
    table.addPairs(text(retransmitted), values);
    assert.deepEqual([...values], [3, retransmitted, Number.NaN, -1]);
  }
  const cut = new Float64Array(4).fill(Number.NaN);
  table.addPairs('Tcp: RtoMax MaxConn RetransSegs\nTcp: 1 2', cut);
  assert.deepEqual([...cut], [Number.NaN, Number.NaN, Number.NaN, 2]);
});

test('the running kernel', () => {
  const names = ['Tcp.RetransSegs', 'TcpExt.TCPTimeouts', 'TcpExt.ListenOverflows', 'Tcp.RtoMax', 'TcpExt.Nonsense'];
  const values = new CounterTable(names).read('/proc/self/net', new ProcText());
  assert.ok([...values].slice(0, 3).every((value) => Number.isSafeInteger(value) && value >= 0));
  assert.deepEqual([...values].slice(3), [120_000, Number.NaN]);
  assert.throws(() => new CounterTable(names).read('/proc/0/net', new ProcText()), { code: 'ENOENT' });
});

test('a text longer than the buffer', () => {
  assert.equal(new ProcText().read('/proc/kallsyms').length, readFileSync('/proc/kallsyms', 'latin1').length);
});
