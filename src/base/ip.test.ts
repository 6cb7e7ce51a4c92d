import assert from 'node:assert/strict';
import { BlockList, isIPv4 } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { cidrContains, cidrRange, formatIp, isV4Mapped, parseCidr, parseIp } from './ip.ts';

const v4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
const v6 = fc.uint8Array({ minLength: 16, maxLength: 16 });

test('addresses are read as they are written', () => {
  fc.assert(fc.property(fc.oneof(v4, v6), (bytes) => assert.deepEqual(parseIp(formatIp(bytes)), bytes)));
});

test('what is an IPv4 address is what net.isIPv4 says', () => {
  const part = fc.oneof(fc.nat(300).map(String), fc.constantFrom('', '00', '01', '0x1', '-1', '1 '));
  const text = fc.array(part, { minLength: 3, maxLength: 5 }).map((parts) => parts.join('.'));
  fc.assert(fc.property(text, (word) => assert.equal(parseIp(word)?.length === 4, isIPv4(word))));
});

test('IPv6 text is what the WHATWG URL parser, which follows RFC 5952, makes of it', () => {
  fc.assert(
    fc.property(
      v6.filter((bytes) => !isV4Mapped(bytes)),
      (bytes) => {
        const groups = Array.from({ length: 8 }, (_, i) => Buffer.from(bytes).toString('hex', 2 * i, 2 * i + 2));
        assert.equal(`[${formatIp(bytes)}]`, new URL(`http://[${groups.join(':')}]/`).hostname);
      },
    ),
  );
});

test('a block holds what net.BlockList says', () => {
  const block = fc.oneof(fc.tuple(v4, fc.nat(32)), fc.tuple(v6, fc.nat(128)));
  fc.assert(
    fc.property(block, fc.nat(128), fc.nat(255), ([address, prefixLength], changedBit, noise) => {
      const other = Uint8Array.from(address);
      const at = (changedBit >> 3) % other.length;
      other[at] = (other[at] as number) ^ noise;
      const family = address.length === 4 ? 'ipv4' : 'ipv6';
      const list = new BlockList();
      list.addSubnet(formatIp(address), prefixLength, family);
      const cidr = { address, prefixLength };
      assert.equal(cidrContains(cidr, other), list.check(formatIp(other), family));
      const { first, last } = cidrRange(cidr);
      assert.ok(cidrContains(cidr, first) && cidrContains(cidr, last));
    }),
  );
});

test('an IPv4-mapped block is the IPv4 block', () => {
  assert.deepEqual(parseCidr('::ffff:10.0.0.9'), parseCidr('10.0.0.9'));
  assert.deepEqual(parseCidr('::ffff:a00:0/104'), parseCidr('10.0.0.0/8'));
  assert.equal(parseCidr('::ffff:0:0/95').address.length, 16);
});

test('what is no address is refused', () => {
  for (const text of ['', '10.0.0', '10.0.0.1/33', '::/129', 'fe80::1%eth0', '10.0.0.0/', '10.0.0.0/x']) {
    assert.throws(() => parseCidr(text), { code: 'USAGE' }, text);
  }
});
