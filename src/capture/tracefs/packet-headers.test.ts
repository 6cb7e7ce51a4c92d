import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatIp } from '../../base/ip.ts';
import { readHeaders } from './packet-headers.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const told = (text: string, offset = 0) => {
  const headers = readHeaders(hex(text), offset);
  return headers && { ...headers, src: formatIp(headers.src), dst: formatIp(headers.dst) };
};

const TCP = '9c41 01bb fffffff0 fedcba98 50 18 0000 00000000';

test('IPv4 and TCP, the sequence number going round', () => {
  assert.deepEqual(told(`eeee 45000048 00000000 40 06 0000 0a000001 0a000002 ${TCP}`, 2), {
    family: 'ipv4',
    src: '10.0.0.1',
    dst: '10.0.0.2',
    protocol: 6,
    sport: 40001,
    dport: 443,
    tcp: { flags: 0x18, seq: 0xfffffff0, endSeq: 16, dataBytes: 32, ack: 0xfedcba98 },
  });
  const syn = told(`45000028 00000000 40 06 0000 0a000001 0a000002 ${TCP.replace('18', '02')}`);
  assert.deepEqual(syn?.tcp, { flags: 2, seq: 0xfffffff0, endSeq: 0xfffffff1, dataBytes: 0 });
});

test('IPv6 and UDP; a later fragment has no ports', () => {
  const v6 = `60000000 0010 11 40 ${'0'.repeat(31)}1 ${'0'.repeat(31)}2 0035 0036 0010 0000`;
  assert.deepEqual(told(v6), { family: 'ipv6', src: '::1', dst: '::2', protocol: 17, sport: 53, dport: 54 });
  const fragment = told(`45000048 00000064 40 11 0000 0a000001 0a000002 0035 0036`);
  assert.deepEqual([fragment?.protocol, fragment?.sport], [17, undefined]);
});

test('what is no packet or not all there', () => {
  assert.equal(told('00'.repeat(60)), undefined);
  assert.equal(told('45000048 00000000 40'), undefined);
  assert.equal(told('45', 7), undefined);
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 120 }),
      fc.nat(130),
      (bytes, at) => void readHeaders(Buffer.from(bytes), at),
    ),
  );
});
