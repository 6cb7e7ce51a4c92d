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

/** @throws DECODE when the text is not that of a `format` file, with the line that cannot be read. */
export function parseEventFormat(text: string): TraceFormat {
  const lines = text.split('\n');
  const lineOf = (key: string): string | undefined =>
    lines.find((line) => line.startsWith(`${key}: `))?.slice(key.length + 2);
  const name = lineOf('name');
  const id = lineOf('ID');
  if (!name || !/^\d{1,9}$/.test(id ?? '')) throw new LosslogError('DECODE', 'not the format of a tracepoint');
  const fields = lines.flatMap((line, i) => {
    if (!line.trimStart().startsWith(FIELD)) return [];
    const field = parseField(line.trimStart().slice(FIELD.length));
    if (field) return [field];
    throw new LosslogError('DECODE', `line ${i + 1} of the format of ${name.slice(0, MAX_NAME)} cannot be read`);
  });
  return {
    name,
    id: Number(id),
    fields: fields.filter((field) => !field.name.startsWith('common_')),
    printFormat: lineOf('print fmt') ?? '',
  };
}

const FIELD = 'field:';
/** Longer ones are cut in a message. */
const MAX_NAME = 100;
const NUMBER = /^\s*(\w+):(\d{1,9})$/;

/** `TYPE NAME[DIMENSION];\toffset:N;\tsize:N;\tsigned:N;`. Split by hand: a regular expression would take quadratic time for a damaged line. */
function parseField(text: string): TraceField | undefined {
  const [declared = '', ...rest] = text.split(';');
  const numbers = new Map(rest.flatMap(numberOf));
  const [offset, size, signed] = ['offset', 'size', 'signed'].map((key) => numbers.get(key));
  // `char[] name` has its brackets in the type
  const bracket = declared.endsWith(']') ? declared.indexOf('[') : -1;
  const plain = bracket < 0 ? declared : declared.slice(0, bracket);
  const nameAt = Math.max(plain.lastIndexOf(' '), plain.lastIndexOf('*'), plain.lastIndexOf('\t')) + 1;
  const name = plain.slice(nameAt);
  if (offset === undefined || size === undefined || signed === undefined || !/^[A-Za-z_]\w{0,99}$/.test(name))
    return undefined;
  const dimension = bracket < 0 ? '' : declared.slice(bracket);
  return { type: plain.slice(0, nameAt).trim() + dimension, name, offset, size, signed: signed === 1 };
}

function numberOf(part: string): [string, number][] {
  const match = NUMBER.exec(part);
  return match ? [[match[1] as string, Number(match[2])]] : [];
}
