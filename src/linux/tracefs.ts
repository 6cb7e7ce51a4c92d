/** The kernel's tracepoints as tracefs shows them (Documentation/trace/events.rst). */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, LosslogError } from '../base/errors.ts';

const MOUNTS = ['sys/kernel/tracing', 'sys/kernel/debug/tracing'];

/** A field of a tracepoint's event, as its `format` file tells. */
export interface TraceField {
  /** Type as in C, with the dimension of an array: `__u8[16]`, `const void *`, `__data_loc char[]`. */
  readonly type: string;
  readonly name: string;
  /** Bytes from the start of the event. */
  readonly offset: number;
  readonly size: number;
  readonly signed: boolean;
}

export interface TraceFormat {
  readonly name: string;
  readonly id: number;
  /** Without those that all events have (`common_type`, …). */
  readonly fields: readonly TraceField[];
  /** The line after `print fmt:`, which says how the kernel prints the event. */
  readonly printFormat: string;
}

/** Where tracefs is mounted. @throws NOT_SUPPORTED when it is nowhere; NOT_PERMITTED when it may not be read. */
export function findTracefs(root = '/'): string {
  const mounts = MOUNTS.map((mount) => join(root, mount));
  const found = mounts.find((mount) => existsSync(join(mount, 'events')));
  if (found !== undefined) return found;
  for (const mount of mounts) throwIfHidden(mount);
  throw new LosslogError('NOT_SUPPORTED', 'tracefs is not mounted', {
    hint: 'run: mount -t tracefs tracefs /sys/kernel/tracing',
  });
}

function throwIfHidden(path: string): void {
  try {
    readdirSync(path);
  } catch (cause) {
    if (errnoOf(cause) !== 'EACCES' && errnoOf(cause) !== 'EPERM') return;
    throw new LosslogError('NOT_PERMITTED', `cannot read ${path}`, { hint: 'run as root', cause });
  }
}

/** Names of the groups of events (`tcp`, `skb`, …), in order. */
export function listEventGroups(tracefs: string): string[] {
  return directoriesIn(join(tracefs, 'events'));
}

/** Names of the events of a group, in order; empty when there is no such group. */
export function listEvents(tracefs: string, group: string): string[] {
  return directoriesIn(join(tracefs, 'events', group));
}

function directoriesIn(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return [];
    throw cause;
  }
}

/** The format of an event; undefined when this kernel does not have it. */
export function readEventFormat(tracefs: string, group: string, event: string): TraceFormat | undefined {
  try {
    return parseEventFormat(readFileSync(join(tracefs, 'events', group, event, 'format'), 'utf8'));
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw cause;
  }
}

/** @throws DECODE when the text is not that of a `format` file. */
export function parseEventFormat(text: string): TraceFormat {
  const name = /^name: (.+)$/m.exec(text)?.[1];
  const id = /^ID: (\d+)$/m.exec(text)?.[1];
  if (name === undefined || id === undefined) throw new LosslogError('DECODE', 'not the format of a tracepoint');
  const fields = text.split('\n').flatMap((line) => parseField(line) ?? []);
  return {
    name,
    id: Number(id),
    fields: fields.filter((field) => !field.name.startsWith('common_')),
    printFormat: /^print fmt: (.*)$/m.exec(text)?.[1] ?? '',
  };
}

const FIELD = /^\s*field:(.*?)([A-Za-z_]\w*)(\[[^;]*\])?;\s*offset:(\d+);\s*size:(\d+);\s*signed:([01]);/;

function parseField(line: string): TraceField | undefined {
  const [, type = '', name = '', dimension = '', offset, size, signed] = FIELD.exec(line) ?? [];
  if (offset === undefined) return undefined;
  return { type: type.trim() + dimension, name, offset: Number(offset), size: Number(size), signed: signed === '1' };
}
