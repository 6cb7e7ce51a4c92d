/** Running one short command to its end. */

import { spawnSync } from 'node:child_process';

/** How long a set-up command (ip, tc, iptables) may take before it counts as hung. */
const TIMEOUT_MS = 10_000;

export class CommandFailed extends Error {
  readonly stderr: string;
  readonly exitCode: number | null;

  constructor(command: readonly string[], exitCode: number | null, stderr: string) {
    super(`${command.join(' ')}: ${stderr.trim() || `exit code ${exitCode}`}`);
    this.name = 'CommandFailed';
    this.stderr = stderr;
    this.exitCode = exitCode;
  }
}

/** Runs a command and returns its stdout. @throws CommandFailed unless it exits with 0 within ten seconds. */
export function run(program: string, ...args: string[]): string {
  return runWithInput('', program, ...args);
}

/** As {@link run}, with text on the command's stdin. */
export function runWithInput(input: string, program: string, ...args: string[]): string {
  const result = spawnSync(program, args, { input, encoding: 'utf8', timeout: TIMEOUT_MS, maxBuffer: 64 << 20 });
  if (result.error) throw new CommandFailed([program, ...args], null, result.error.message);
  if (result.status !== 0) throw new CommandFailed([program, ...args], result.status, result.stderr);
  return result.stdout;
}

/** Runs a command and says whether it succeeded. */
export function succeeds(program: string, ...args: string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore', timeout: TIMEOUT_MS }).status === 0;
}

/** Waits without returning to the event loop: clean-up also runs in an exit handler, where nothing else would. */
export function sleepSync(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
