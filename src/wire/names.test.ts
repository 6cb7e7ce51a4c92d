import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ethertypeName, protocolName, tcpFlagNames, tcpStateName, transmitErrorName } from './names.ts';

test('names of numbers, and of numbers that have none', () => {
  assert.deepEqual([1, 12, 99].map(tcpStateName), ['TCP_ESTABLISHED', 'TCP_NEW_SYN_RECV', 'TCP_STATE_99']);
  assert.deepEqual([0, 0x12, 0x18, 0x11].map(tcpFlagNames), ['', 'SYN|ACK', 'PSH|ACK', 'FIN|ACK']);
  assert.deepEqual([6, 253].map(protocolName), ['tcp', '253']);
  assert.deepEqual([0, 0x0806, 0x88b5, 0x0101].map(ethertypeName), [undefined, 'arp', '0x88b5', '0x0101']);
  assert.deepEqual([0, 1, 2, -1, -16].map(transmitErrorName), [
    undefined,
    'NET_XMIT_DROP',
    'NET_XMIT_CN',
    'EPERM',
    'EBUSY',
  ]);
});

test('every bit of the TCP flags has its name, once', () => {
  assert.equal(tcpFlagNames(0xff), 'SYN|FIN|RST|PSH|ACK|URG|ECE|CWR');
  for (let bit = 0; bit < 8; bit++) assert.match(tcpFlagNames(1 << bit), /^[A-Z]{3}$/);
});
