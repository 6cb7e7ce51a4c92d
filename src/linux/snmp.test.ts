import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kernelCounters, parseCounters } from './snmp.ts';

test('pairs of lines become counters', () => {
  const text = `Tcp: RtoMax MaxConn RetransSegs
Tcp: 120000 -1 18446744073709551615
Udp: InDatagrams NoPorts
Udp: 5 0
`;
  assert.deepEqual(
    parseCounters(text),
    new Map([
      ['Tcp.RtoMax', 120000n],
      ['Tcp.MaxConn', -1n],
      ['Tcp.RetransSegs', 18446744073709551615n],
      ['Udp.InDatagrams', 5n],
      ['Udp.NoPorts', 0n],
    ]),
  );
  assert.equal(parseCounters('').size, 0);
});

test('the running kernel', () => {
  const counters = kernelCounters();
  for (const name of ['Tcp.RetransSegs', 'TcpExt.TCPTimeouts', 'TcpExt.ListenOverflows', 'IpExt.InOctets']) {
    assert.equal(typeof counters.get(name), 'bigint', name);
  }
});
