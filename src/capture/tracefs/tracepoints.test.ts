import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIp } from '../../base/ip.ts';
import { parseEventFormat } from '../../linux/tracefs.ts';
import { symbolicNames } from './naming.ts';
import { fieldsOf, type Naming, TRACEPOINTS } from './tracepoints.ts';

const naming: Naming = {
  dropReason: (code) => ({ reason: `REASON_${code}` }),
  resetReason: (code) => `RESET_${code}`,
  symbol: (address) => (address === 0n ? undefined : `at+${address}`),
};

/** A format with these fields, as `type name size`. */
function formatOf(event: string, fields: readonly string[]): string {
  let offset = 8;
  const lines = fields.map((field) => {
    const [, type = '', name = '', size = ''] = /^(.*) (\S+) (\d+)$/.exec(field) ?? [];
    const line = `\tfield:${type} ${name};\toffset:${offset};\tsize:${size};\tsigned:${type === 'int' ? 1 : 0};`;
    offset += Number(size);
    return line;
  });
  return `name: ${event}\nID: 7\nformat:\n${lines.join('\n')}\n\nprint fmt: "x"\n`;
}

function decoded(event: string, fields: readonly string[], hex: string): Record<string, unknown> {
  const format = parseEventFormat(formatOf(event, fields));
  const bytes = Buffer.concat([Buffer.alloc(8), Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')]);
  const tracepoint = TRACEPOINTS.find((candidate) => candidate.event === event);
  const told = tracepoint?.decode(fieldsOf(format).at(bytes, 0, bytes.length), naming);
  const { src, dst, ...rest } = told ?? { src: undefined, dst: undefined };
  return { ...rest, ...(src ? { src: formatIp(src) } : {}), ...(dst ? { dst: formatIp(dst) } : {}) };
}

const MAPPED = '00000000000000000000ffff';
const ENDS = ['__u16 sport 2', '__u16 dport 2', '__u8 saddr_v6[16] 16', '__u8 daddr_v6[16] 16'];
const FLOW = `c685 bb01 ${MAPPED}0a090001 ${MAPPED}0a09004d`;
const flow = { family: 'ipv4', src: '10.9.0.1', sport: 34246, dst: '10.9.0.77', dport: 443 };

test('a retransmission of 5.10, and one of 6.18 that failed', () => {
  assert.deepEqual(decoded('tcp_retransmit_skb', ['int state 4', ...ENDS], `01000000 ${FLOW}`), {
    kind: 'retransmit',
    ...flow,
    cause: 'unknown',
    state: 'TCP_ESTABLISHED',
  });
  assert.deepEqual(decoded('tcp_retransmit_skb', ['int state 4', ...ENDS, 'int err 4'], `02000000 ${FLOW} ffffffff`), {
    kind: 'retransmit',
    ...flow,
    cause: 'syn',
    failed: 'EPERM',
    state: 'TCP_SYN_SENT',
  });
});

test('drops with and without a reason', () => {
  const fields = ['void * location 8', 'unsigned short protocol 2'];
  assert.deepEqual(decoded('kfree_skb', fields, '0500000000000000 0008'), {
    kind: 'drop',
    family: 'ipv4',
    location: 'at+5',
    class: 'unknown',
  });
  assert.deepEqual(
    decoded('kfree_skb', [...fields, 'enum skb_drop_reason reason 4'], '0000000000000000 0608 07000000'),
    {
      kind: 'drop',
      reason: 'REASON_7',
      class: 'loss',
      protocol: 'arp',
    },
  );
});

test('resets: ports and addresses, or socket addresses', () => {
  assert.deepEqual(decoded('tcp_receive_reset', [...ENDS, '__u64 sock_cookie 8'], `${FLOW} 1f00000000000000`), {
    kind: 'reset',
    ...flow,
    socketCookie: 31n,
    direction: 'received',
  });
  const sockaddr = (hex: string): string => hex.replaceAll(/\s/g, '').padEnd(56, '0');
  const fields = ['int state 4', 'enum sk_rst_reason reason 4', '__u8 saddr[28] 28', '__u8 daddr[28] 28'];
  const v4 = `${sockaddr('0200 85c6 0a090001')} ${sockaddr('0200 01bb 0a09004d')}`;
  assert.deepEqual(decoded('tcp_send_reset', fields, `00000000 02000000 ${v4}`), {
    kind: 'reset',
    ...flow,
    direction: 'sent',
    reason: 'RESET_2',
  });
  const v6 = `${sockaddr(`0a00 85c6 00000000 ${'0'.repeat(31)}1`)} ${sockaddr(`0a00 01bb 00000000 ${'0'.repeat(31)}2`)}`;
  const told = decoded('tcp_send_reset', fields, `07000000 02000000 ${v6}`);
  assert.deepEqual([told.family, told.src, told.dst, told.state], ['ipv6', '::1', '::2', 'TCP_CLOSE']);
});

test('a record that is shorter than its format has no made-up fields', () => {
  assert.deepEqual(decoded('tcp_retransmit_skb', ['int state 4', ...ENDS], '01000000 c685'), {
    kind: 'retransmit',
    cause: 'unknown',
    state: 'TCP_ESTABLISHED',
  });
});

test('names of reasons from the format, for a kernel without type information', () => {
  const printFormat =
    '"reason: %s", __print_symbolic(REC->reason, { 1, "CONSUMED" }, { 0x2, "NOT_SPECIFIED" }, { 3, "NO_SOCKET" })';
  const names = symbolicNames({ name: 'kfree_skb', id: 1, fields: [], printFormat }, 'reason');
  assert.deepEqual(
    [...names],
    [
      [1, 'CONSUMED'],
      [2, 'NOT_SPECIFIED'],
      [3, 'NO_SOCKET'],
    ],
  );
});
