/**
 * Exact counts on a host where BPF is kept from some tasks.
 *
 * Some sandboxes guard a supervisor of theirs: no BPF program runs while one of its threads is the current task, so that
 * a softirq that interrupts it is seen by no BPF tool (docs/limitations.md). The kernel's own tracepoint log does see
 * it. Such an attempt cannot be exact and says nothing about losslog: it is made again. On a host without such tasks
 * nothing is ever repeated.
 */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../lab/command.ts';
import { errnoOf } from '../../src/base/errors.ts';

const MAX_ATTEMPTS = 12;
const EVENTS = [
  'tcp/tcp_retransmit_skb',
  'tcp/tcp_retransmit_synack',
  'tcp/tcp_send_reset',
  'tcp/tcp_receive_reset',
  'skb/kfree_skb',
  'sock/inet_sock_set_state',
];

export interface SeenOptions {
  /** For what need not be exact: an attempt that succeeded counts, whatever was hidden from it. */
  readonly onlyWhenFailed?: boolean;
}

/** Makes `attempt` until no event happened in the context of a guarded task; returns, or throws, what that attempt did. */
export async function seen<T>(attempt: () => Promise<T>, { onlyWhenFailed = false }: SeenOptions = {}): Promise<T> {
  const guarded = guardedTasks();
  if (guarded.length === 0) return attempt();
  for (let count = 1; ; count++) {
    using log = new TracepointLog(guarded);
    const [outcome] = await Promise.allSettled([attempt()]);
    if (onlyWhenFailed && outcome.status === 'fulfilled') return outcome.value;
    const unseen = log.lines();
    if (unseen.length > 0 && count < MAX_ATTEMPTS) continue;
    if (outcome.status === 'rejected') throw outcome.reason;
    if (unseen.length === 0) return outcome.value;
    throw new Error(`in each of ${count} attempts events were hidden from BPF: ${unseen[0]}`);
  }
}

/** Threads of processes whose namespaces not even root may see: these are guarded. */
function guardedTasks(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && isGuarded(name))
    .flatMap((pid) => readdirSync(`/proc/${pid}/task`));
}

function isGuarded(pid: string): boolean {
  try {
    readlinkSync(`/proc/${pid}/ns/net`);
    return false;
  } catch (error) {
    return errnoOf(error) === 'EACCES';
  }
}

let instances = 0;

/** A tracing instance of its own for the events of some tasks; mounts tracefs in a place of its own. */
class TracepointLog {
  readonly #mount: string;
  readonly #instance: string;

  constructor(tasks: readonly string[]) {
    this.#mount = mkdtempSync(join(tmpdir(), 'losslog-tracefs-'));
    run('mount', '-t', 'tracefs', 'tracefs', this.#mount);
    this.#instance = join(this.#mount, 'instances', `seen-by-tests-${process.pid}-${++instances}`);
    mkdirSync(this.#instance);
    writeFileSync(join(this.#instance, 'set_event_pid'), tasks.join(' '));
    for (const event of EVENTS) writeFileSync(join(this.#instance, 'events', event, 'enable'), '1');
  }

  lines(): string[] {
    const text = readFileSync(join(this.#instance, 'trace'), 'utf8');
    return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  }

  [Symbol.dispose](): void {
    try {
      rmdirSync(this.#instance);
    } finally {
      run('umount', this.#mount);
      rmdirSync(this.#mount);
    }
  }
}
