/** What every traffic program shares: options as one JSON argument, one JSON line an answer, the end of its parent. */

import { createInterface } from 'node:readline';

export interface ProgramOptions {
  /** Name of the process as `ps` and `/proc/PID/comm` show it (15 bytes at most there). */
  title?: string;
}

/** The options that the lab gave. */
export function options<T extends ProgramOptions>(): T {
  const given = JSON.parse(process.argv[2] ?? '{}') as T;
  if (given.title) process.title = given.title;
  return given;
}

export function answer(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Calls `onCommand` for each line of stdin, and exits when stdin ends: the lab that held it is gone. */
export function obey(onCommand: (command: string) => void): void {
  createInterface({ input: process.stdin })
    .on('line', onCommand)
    .on('close', () => process.exit(0));
}
