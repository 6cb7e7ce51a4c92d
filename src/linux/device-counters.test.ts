import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDeviceCounters, readDeviceCounters, readSoftnet } from './device-counters.ts';
import { ProcText } from './proc-text.ts';

const TEXT = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
 a:b\u001b: 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36
cut: 1 2 3
`;

test('drops and errors of each device', () => {
  const devices = parseDeviceCounters(TEXT);
  assert.deepEqual([...devices.keys()], ['lo', 'a:b\u001b']);
  assert.deepEqual(
    [...(devices.get('lo') ?? [])],
    [
      ['rx_errors', 3],
      ['rx_dropped', 4],
      ['rx_fifo_errors', 5],
      ['rx_frame_errors', 6],
      ['tx_errors', 11],
      ['tx_dropped', 12],
      ['tx_fifo_errors', 13],
    ],
  );
});

test('the running kernel', () => {
  const text = new ProcText();
  assert.ok(readDeviceCounters('/proc/self/net', text).has('lo'));
  const { dropped, timeSqueeze } = readSoftnet(text);
  assert.ok(Number.isSafeInteger(dropped) && Number.isSafeInteger(timeSqueeze));
});
