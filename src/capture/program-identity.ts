/** What tells programs at work apart: whether a recorder can read what they write, and whether they are those it would load. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { BpfObjectOptions } from '../bpf/object.ts';
import { objectPath } from '../bpf/object-path.ts';
import * as layout from '../wire/layout.ts';

export interface ProgramIdentity {
  /** Of the layout of everything that user space reads or writes (src/wire/layout.ts). */
  readonly layout: string;
  /** Of the compiled object, its constants, and what is chosen of it. */
  readonly programs: string;
}

const hashOf = (...parts: (string | Uint8Array)[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex').slice(0, 16);
};

const LAYOUT = hashOf(JSON.stringify(layout));

/** @param netns what the filter of namespaces lets through, in order */
export function programIdentity(options: BpfObjectOptions, netns: readonly number[]): ProgramIdentity {
  const constants = new ArrayBuffer(layout.rodata.size);
  options.configure(new DataView(constants));
  const chosen = JSON.stringify([options.programs, options.maxEntries ?? {}, netns]);
  return { layout: LAYOUT, programs: hashOf(readFileSync(objectPath()), new Uint8Array(constants), chosen) };
}

export const isSame = (a: ProgramIdentity, b: ProgramIdentity): boolean =>
  a.layout === b.layout && a.programs === b.programs;

/** Whether this release understands what other programs write. */
export const isReadable = (identity: Pick<ProgramIdentity, 'layout'>): boolean => identity.layout === LAYOUT;
