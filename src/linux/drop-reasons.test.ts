import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Btf, BtfKind } from './btf.ts';
import { DropReasons } from './drop-reasons.ts';
import { readKernelBtf, readModuleBtfs } from './kernel-btf.ts';

type Enums = Record<string, Record<string, number>>;

/** BTF that holds these enums and nothing else. */
function btfOf(enums: Enums): Btf {
  let strings = '\0';
  const offsetOf = (text: string): number => {
    const offset = strings.length;
    strings += `${text}\0`;
    return offset;
  };
  const types = Object.entries(enums).flatMap(([name, members]) => {
    const entries = Object.entries(members).flatMap(([member, value]) => [offsetOf(member), value]);
    return [offsetOf(name), (BtfKind.Enum << 24) | (entries.length / 2), 4, ...entries];
  });
  const header = new Uint32Array([0x0001eb9f, 24, 0, 4 * types.length, 4 * types.length, strings.length]);
  return Btf.parse(Buffer.concat([header, Uint32Array.from(types), Buffer.from(strings)].map((part) => bytesOf(part))));
}

const bytesOf = (part: Uint8Array | Uint32Array): Uint8Array =>
  new Uint8Array(part.buffer, part.byteOffset, part.byteLength);

/** As Linux 6.18 has them (include/net/dropreason-core.h, dropreason.h, rstreason.h). */
const core: Enums = {
  skb_drop_reason: {
    SKB_NOT_DROPPED_YET: 0,
    SKB_CONSUMED: 1,
    SKB_DROP_REASON_NOT_SPECIFIED: 2,
    SKB_DROP_REASON_NETFILTER_DROP: 12,
    SKB_DROP_REASON_MAX: 128,
    SKB_DROP_REASON_SUBSYS_MASK: 0xffff0000,
  },
  skb_drop_reason_subsys: {
    SKB_DROP_REASON_SUBSYS_CORE: 0,
    SKB_DROP_REASON_SUBSYS_MAC80211_UNUSABLE: 1,
    SKB_DROP_REASON_SUBSYS_OPENVSWITCH: 2,
    SKB_DROP_REASON_SUBSYS_NUM: 3,
  },
  sk_rst_reason: { SK_RST_REASON_NOT_SPECIFIED: 0, SK_RST_REASON_NO_SOCKET: 1, SK_RST_REASON_MAX: 25 },
};
/** net/openvswitch/drop.h */
const openvswitch: Enums = {
  ovs_drop_reason: { __OVS_DROP_REASON: 0x20000, OVS_DROP_LAST_ACTION: 0x20001, OVS_DROP_ACTION_ERROR: 0x20002 },
};
/** net/mac80211/drop.h; what is below 0x10000 is no drop reason. */
const mac80211: Enums = { mac80211_drop_reason: { RX_CONTINUE: 1, RX_QUEUED: 12, RX_DROP_U_MIC_FAIL: 0x10001 } };

test('reasons of the core', () => {
  const reasons = new DropReasons(btfOf(core));
  assert.deepEqual(reasons.reasonName(2), { reason: 'NOT_SPECIFIED' });
  assert.deepEqual(reasons.reasonName(12), { reason: 'NETFILTER_DROP' });
  assert.deepEqual(reasons.reasonName(0), { reason: 'NOT_DROPPED_YET' });
  assert.deepEqual(reasons.reasonName(1), { reason: 'CONSUMED' });
  assert.deepEqual(reasons.reasonName(128), { reason: 'UNKNOWN_128' });
  assert.deepEqual(reasons.reasonName(200), { reason: 'UNKNOWN_200' });
});

test('reasons of subsystems, built in or of modules', () => {
  let reads = 0;
  const reasons = new DropReasons(btfOf({ ...core, ...mac80211 }), () => {
    reads++;
    return [btfOf(openvswitch)];
  });
  assert.deepEqual(reasons.reasonName(0x10001), { reason: 'RX_DROP_U_MIC_FAIL', subsystem: 'mac80211_unusable' });
  assert.equal(reads, 0);
  assert.deepEqual(reasons.reasonName(0x20001), { reason: 'OVS_DROP_LAST_ACTION', subsystem: 'openvswitch' });
  assert.deepEqual(reasons.reasonName(0x20002), { reason: 'OVS_DROP_ACTION_ERROR', subsystem: 'openvswitch' });
  assert.deepEqual(reasons.reasonName(0x20000), { reason: 'UNKNOWN_0', subsystem: 'openvswitch' });
  assert.deepEqual(reasons.reasonName(0x20009), { reason: 'UNKNOWN_9', subsystem: 'openvswitch' });
  assert.equal(reads, 1);
  assert.deepEqual(reasons.reasonName(12), { reason: 'NETFILTER_DROP' });
});

test('a subsystem that this kernel does not name', () => {
  const reasons = new DropReasons(btfOf(core));
  assert.deepEqual(reasons.reasonName(0xffff0003), { reason: 'UNKNOWN_3', subsystem: 'UNKNOWN_65535' });
});

test('reasons of resets', () => {
  const reasons = new DropReasons(btfOf(core));
  assert.equal(reasons.rstReasonName(1), 'NO_SOCKET');
  assert.equal(reasons.rstReasonName(25), 'UNKNOWN_25');
});

test('a kernel without reasons names none', () => {
  const reasons = new DropReasons(btfOf({}));
  assert.deepEqual(reasons.reasonName(2), { reason: 'UNKNOWN_2' });
  assert.equal(reasons.rstReasonName(0), 'UNKNOWN_0');
});

const FORMAT = '/sys/kernel/tracing/events/skb/kfree_skb/format';

test('the running kernel prints the same names', {
  skip: !existsSync(FORMAT) && `${FORMAT} is not there: tracefs is not mounted`,
}, (t) => {
  const kernel = readKernelBtf();
  const printed = [...readFileSync(FORMAT, 'utf8').matchAll(/\{ (\d+), "(\w+)" \}/g)];
  const named = printed.filter(([, , name]) => name !== 'MAX');
  if (named.length === 0) return t.skip('this kernel tells no reasons');
  const reasons = new DropReasons(kernel, () => readModuleBtfs(kernel));
  for (const [, code, name] of named) assert.deepEqual(reasons.reasonName(Number(code)), { reason: name });
});
