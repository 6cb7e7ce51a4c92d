/** Definitions of dynamic events in tracefs (`kprobe_events`), which are global to the host. */

import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LosslogError, messageOf } from '../base/errors.ts';

/** @throws NOT_SUPPORTED when this kernel has no kprobes */
export function requireKprobes(tracefs: string): void {
  if (existsSync(join(tracefs, 'kprobe_events'))) return;
  throw new LosslogError('NOT_SUPPORTED', 'this kernel has no kprobe events', {
    hint: 'a kernel with CONFIG_KPROBE_EVENTS is needed, or another source',
  });
}

/**
 * Adds one definition.
 * @throws NOT_SUPPORTED with what the kernel says of it in `error_log`
 */
export function defineKprobe(tracefs: string, definition: string): void {
  try {
    appendFileSync(join(tracefs, 'kprobe_events'), `${definition}\n`);
  } catch (cause) {
    const why = lastError(tracefs) ?? messageOf(cause);
    throw new LosslogError('NOT_SUPPORTED', `the kernel refused "${definition.slice(0, 60)}…": ${why}`, { cause });
  }
}

/** Removes the events of a group. @returns false when one is in use. */
export function removeKprobes(tracefs: string, group: string): boolean {
  let areAllGone = true;
  for (const event of listKprobes(tracefs, group)) {
    try {
      appendFileSync(join(tracefs, 'kprobe_events'), `-:${group}/${event}\n`);
    } catch {
      areAllGone = false;
    }
  }
  return areAllGone;
}

/** None where the kernel has no kprobes. */
function definitions(tracefs: string): string {
  const path = join(tracefs, 'kprobe_events');
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** Groups of dynamic events that begin with a prefix. */
export function listKprobeGroups(tracefs: string, prefix: string): string[] {
  const groups = [...definitions(tracefs).matchAll(/^[pr]\d*:([^/\s]+)\//gm)];
  return [...new Set(groups.map(([, group]) => group as string))].filter((group) => group.startsWith(prefix));
}

function listKprobes(tracefs: string, group: string): string[] {
  const lines = definitions(tracefs).matchAll(/^[pr]\d*:([^/\s]+)\/(\S+)/gm);
  return [...new Set(Array.from(lines).flatMap(([, of, event]) => (of === group ? [event as string] : [])))];
}

/** The last message of `error_log`, which Linux has since 5.2. */
function lastError(tracefs: string): string | undefined {
  try {
    return readFileSync(join(tracefs, 'error_log'), 'utf8')
      .match(/error: (.*)/g)
      ?.at(-1)
      ?.slice('error: '.length);
  } catch {
    return undefined;
  }
}
