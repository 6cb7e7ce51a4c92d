/** What network devices dropped, by themselves or below the stack: /proc/PID/net/dev (net/core/net-procfs.c) and /sys/class/net. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcText } from './proc-text.ts';

/**
 * Names by their place after the colon of a line; as in /sys/class/net/DEV/statistics, but for the drops received, which here
 * include those that the card had no room for (`rx_missed_errors`).
 */
const COLUMNS: readonly (readonly [place: number, name: string])[] = [
  [2, 'rx_errors'],
  [3, 'rx_dropped'],
  [4, 'rx_fifo_errors'],
  [5, 'rx_frame_errors'],
  [10, 'tx_errors'],
  [11, 'tx_dropped'],
  [12, 'tx_fifo_errors'],
];

/** Counters of a device by name. */
export type DeviceCounters = ReadonlyMap<string, number>;

/** @param directory `/proc/PID/net`. @throws errors of the file system, when the process is gone */
export function readDeviceCounters(directory: string, text: ProcText): Map<string, DeviceCounters> {
  return parseDeviceCounters(text.read(join(directory, 'dev')));
}

/** Two lines of heads, then `  eth0: 1 2 3 …`. A name may hold a colon (an alias never stands here): the last one ends it. */
export function parseDeviceCounters(text: string): Map<string, DeviceCounters> {
  const devices = new Map<string, DeviceCounters>();
  for (const line of text.split('\n')) {
    const colon = line.lastIndexOf(':');
    if (colon < 0) continue;
    const words = line
      .slice(colon + 1)
      .split(' ')
      .filter(Boolean);
    const counters = COLUMNS.map(([place, name]): [string, number] => [name, Number(words[place])]);
    if (words.length >= 16) devices.set(line.slice(0, colon).trim(), new Map(counters));
  }
  return devices;
}

/** Devices with hardware behind them in the namespace whose /sys this process sees, and what their rings had no room for. */
export function readMissed(root = '/'): Map<string, number> {
  const directory = join(root, 'sys/class/net');
  const missed = new Map<string, number>();
  for (const device of namesIn(directory)) {
    if (!existsSync(join(directory, device, 'device'))) continue;
    const count = numberAt(join(directory, device, 'statistics/rx_missed_errors'));
    if (count !== undefined) missed.set(device, count);
  }
  return missed;
}

/** Packets dropped before the stack because the queue of a CPU was full, and rounds that ended with work left; over all CPUs. */
export interface SoftnetCounters {
  dropped: number;
  timeSqueeze: number;
}

/** A line a CPU of hexadecimal numbers: processed, dropped, time_squeeze, … (softnet_seq_show()). @throws errors of the file system */
export function readSoftnet(text: ProcText, root = '/'): SoftnetCounters {
  const sum = { dropped: 0, timeSqueeze: 0 };
  for (const line of text.read(join(root, 'proc/net/softnet_stat')).split('\n')) {
    const [, dropped = '0', timeSqueeze = '0'] = line.split(' ');
    sum.dropped += Number.parseInt(dropped, 16);
    sum.timeSqueeze += Number.parseInt(timeSqueeze, 16);
  }
  return sum;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // no sysfs here
  }
}

function numberAt(path: string): number | undefined {
  try {
    return Number(readFileSync(path, 'latin1'));
  } catch {
    return undefined; // the device is gone, or does not tell
  }
}
