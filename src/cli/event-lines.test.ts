import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wallNs } from '../base/time.ts';
import { timed } from '../capture/trace-log/clock.ts';
import type { LogEvent } from '../capture/trace-log/log-event.ts';
import { toJson } from '../event/json.ts';
import { formatEvent } from '../event/text.ts';
import { EventLines } from './event-lines.ts';

const EVENTS: LogEvent[] = [
  {
    kind: 'retransmit',
    family: 'ipv4',
    dst: Uint8Array.of(203, 205, 141, 49),
    dport: 2452,
    cause: 'syn',
    state: 'TCP_SYN_SENT',
  },
  { kind: 'drop', reason: 'NO_SOCKET', location: 'tcp_v4_rcv+0x91', class: 'benign', protocol: 'tcp' },
];
/** Times whose columns differ in width, and none. */
const TIMES = [1n, 1_614_944_898_959_403_000n, undefined].map((ns) => (ns === undefined ? undefined : wallNs(ns)));
const STAMPS = [9_000_000_000n, 2_621_728_977_959_000n, undefined];

for (const options of [undefined, { width: 80, color: true }, { width: 132, color: false }]) {
  const form = options ? `text of ${options.width} columns` : 'JSON';
  test(`${form}: a line is the same whether its event came before or not`, () => {
    const lines = new EventLines(options);
    for (const event of EVENTS) {
      for (const time of TIMES) {
        for (const stamp of STAMPS) {
          const whole = timed(event, time, stamp);
          const expected = `${options ? formatEvent(whole, options) : toJson(whole)}\n`;
          for (const isAgain of [false, true, true]) assert.equal(lines.line(event, time, stamp, isAgain), expected);
        }
      }
    }
  });
}
