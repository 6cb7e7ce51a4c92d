import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAlignedLine } from './aligned-line.ts';
import { parseTraceLine } from './line.ts';
import { parseLostLine } from './lost-line.ts';
import { stampNs, stampOf } from './stamp.ts';

const TEXT = 'tcp_retransmit: (tcp_retransmit_skb+0x0/0xc0) port=47873 dst=0 state=2';
const [NAME, REST] = ['tcp_retransmit', '(tcp_retransmit_skb+0x0/0xc0) port=47873 dst=0 state=2'];

interface Layout {
  layout: string;
  line: string;
  cpu?: number | undefined;
  stamp?: string;
}

const layouts: Layout[] = [
  { layout: '5.10: four flags', line: `          <idle>-0       [000] ..s.    10.014649: ${TEXT}` },
  { layout: '6.1: five flags', line: `          <idle>-0       [000] .Ns2.    10.014649: ${TEXT}` },
  { layout: '6.18: lazy rescheduling', line: `            node-616     [012] bls..    10.014649: ${TEXT}`, cpu: 12 },
  { layout: 'nested preemption count', line: `          <idle>-0       [000] d.s51    10.014649: ${TEXT}` },
  { layout: 'tgid', line: `            node-573     (    573) [000] .N...    10.014649: ${TEXT}` },
  { layout: 'tgid of the idle task', line: `          <idle>-0       (-------) [000] ..s2.    10.014649: ${TEXT}` },
  { layout: 'tgid behind the CPU (4.x)', line: `          <idle>-0     [000] (-----) ..s.    10.014649: ${TEXT}` },
  { layout: 'noirq-info', line: `          <idle>-0       [000]    10.014649: ${TEXT}` },
  { layout: 'unknown task', line: `           <...>-3202753 [000] ..s.    10.014649: ${TEXT}` },
  { layout: 'a name with blanks and brackets', line: ` a-1 [7] 1.0: b:-12      [000] ..s.    10.014649: ${TEXT}` },
  {
    layout: 'a clock without seconds',
    line: `          <idle>-0       [000] ..s. 18446744073709: ${TEXT}`,
    stamp: '18446744073709',
  },
  { layout: 'latency-format', line: `  <idle>-0         2..s1.  123us+: ${TEXT}`, cpu: 2, stamp: '123us+' },
  {
    layout: 'latency-format, far',
    line: `    node-16166     2dNs1. 12345678us : ${TEXT}`,
    cpu: 2,
    stamp: '12345678us ',
  },
  {
    layout: 'latency-format, verbose',
    line: `          <idle>       0   3 0 00000001 00000007 [0098cf69] 10014.649ms (+0.001ms): ${TEXT}`,
    cpu: 3,
    stamp: '10.014569',
  },
  { layout: 'trace-cmd', line: `          <idle>-0     [000]    10.014649: tcp_retransmit:       ${REST}` },
  { layout: 'trace-cmd with flags', line: `Web Content-77 [000] d.s..    10.014649: tcp_retransmit: ${REST}` },
  {
    layout: 'trace-cmd with ns',
    line: `node-77 [000]    10.014649123: tcp_retransmit: ${REST}`,
    stamp: '10.014649123',
  },
  { layout: 'perf script', line: `swapper     0 [000]    10.014649:     probe:tcp_retransmit: ${REST}` },
  {
    layout: 'perf script with tid',
    line: `tokio:rt w-1   573/580   [003]    10.014649: 1 probe:tcp_retransmit: ${REST}`,
    cpu: 3,
  },
  {
    layout: 'perf script with period and ns',
    line: `     Web Content   216 [000]    10.014649123:          1    probe:tcp_retransmit: ${REST}`,
    stamp: '10.014649123',
  },
  {
    layout: 'perf script with call chains',
    line: `Web Content   226 [000]    10.014649:  probe:tcp_retransmit: ${REST}`,
  },
  {
    layout: 'perf script without the CPU',
    line: `     Web Content   216    10.014649:    kprobes:tcp_retransmit: ${REST}`,
    cpu: undefined,
  },
  { layout: 'latency-format with a counter', line: `  <idle>-0       2..s1. 4711: ${TEXT}`, cpu: 2, stamp: '4711' },
  {
    layout: 'latency-format, verbose, with a counter',
    line: `          <idle>       0   3 0 00000001 00000007 [0000000000001267] 4711 (+2): ${TEXT}`,
    cpu: 3,
    stamp: '4711',
  },
  { layout: 'trace-cmd report -l', line: `Web Cont-216    12.....    10.014649: ${NAME}:       ${REST}`, cpu: 12 },
];

for (const { layout, line, stamp = '10.014649', ...of } of layouts) {
  const cpu = 'cpu' in of ? of.cpu : 0;
  test(`the layout "${layout}"`, () => {
    assert.deepEqual(parseTraceLine(line), { cpu, ...stampOf(stamp), name: NAME, text: REST });
  });
}

test('a line, whole or broken anywhere, is read for itself in a log as alone', () => {
  let read = 0;
  for (const { line } of layouts) {
    for (let length = 0; length <= line.length; length++) {
      const cut = line.slice(0, length);
      const alone = parseAlignedLine(cut);
      if (alone) read++;
      for (const newline of ['\n', '\r\n']) {
        const before = `0: x${newline}`;
        const log = `${before}${cut}${newline}${line}${newline}`;
        assert.deepEqual(parseAlignedLine(log, before.length, before.length + length), alone, cut);
      }
    }
  }
  assert.ok(read > 0);
});

test('printk has the address of its caller for a name', () => {
  const message = 'tcp_retransmit port=37897 dst=831376843 state=1';
  for (const name of ['0', 'bpf_trace_printk', '0x1', 'tracing_mark_write']) {
    const line = `          <idle>-0       [000] ..s. 2621728.977959: ${name}: ${message}`;
    assert.deepEqual(parseTraceLine(line), {
      cpu: 0,
      seconds: 2621728,
      ns: 977_959_000,
      name,
      text: message,
    });
  }
});

test('what is no event', () => {
  for (const line of ['', '# tracer: nop', ' => tcp_retransmit_skb', '<stack trace>', 'cpus=2', 'CPU 1 is empty']) {
    assert.equal(parseTraceLine(line), undefined, line);
  }
});

test('lost events', () => {
  assert.deepEqual(parseLostLine('CPU:0 [LOST 12 EVENTS]'), { cpu: 0, count: 12 });
  assert.deepEqual(parseLostLine('CPU:11 [LOST EVENTS]\r'), { cpu: 11, count: undefined });
  assert.deepEqual(parseLostLine('CPU:3 [12 EVENTS DROPPED]'), { cpu: 3, count: 12 });
  assert.deepEqual(parseLostLine('CPU:3 [EVENTS DROPPED]'), { cpu: 3, count: undefined });
  assert.deepEqual(parseLostLine('node 7 [003]  1.0: PERF_RECORD_LOST lost 24'), { cpu: 3, count: 24 });
  assert.deepEqual(parseLostLine('node 7 1.0: PERF_RECORD_LOST_SAMPLES lost 24'), { cpu: undefined, count: 24 });
  assert.deepEqual(parseLostLine('LOST 24 events!'), { cpu: undefined, count: 24 });
  assert.equal(parseLostLine('CPU:0 [LOST x EVENTS]'), undefined);
});

test('stamps keep every digit', () => {
  assert.equal(stampNs(stampOf('0.000001')), 1000n);
  assert.equal(stampNs(stampOf('8999999.999999999')), 8_999_999_999_999_999n);
  assert.equal(stampNs(stampOf('99999999999.0')), undefined);
  assert.equal(stampNs(stampOf('1.')), 1_000_000_000n);
  assert.equal(stampNs(stampOf('.1')), undefined);
  assert.equal(stampNs(stampOf('1.x')), undefined);
  assert.equal(stampNs(stampOf('2621728.977959')), 2621728977959000n);
  assert.equal(stampNs(stampOf('99999999.000000001')), 99999999000000001n);
  assert.equal(stampNs(stampOf('12345')), undefined);
  assert.equal(stampNs(stampOf('123us')), undefined);
});

test('any text is a line or none', () => {
  const noise = fc.string({ unit: fc.constantFrom(...'-[]():. 0129abcdefsN+/=\t<>us_'), maxLength: 120 });
  fc.assert(fc.property(fc.oneof(fc.string(), noise), (line) => void [parseTraceLine(line), parseLostLine(line)]));
});
