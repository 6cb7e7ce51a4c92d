/** Sealed slices that stay open for the next question: they do not change, and opening one costs more than most answers. */

import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { SliceFile } from './slice-name.ts';
import type { SliceReader } from './slice-reader.ts';

/** Each takes a file descriptor and some 100 kB. */
const MAX_KEPT = 64;
/** Memory of packed columns that is kept with them; those of a million events take 26 MB. */
const MAX_PACKED_BYTES = 32e6;

interface Kept {
  readonly slice: SliceReader;
  /** Another file of the same name is another slice. */
  readonly inode: number;
}

export class SliceCache {
  readonly #kept = new Map<string, Kept>();

  /** The slice, if it is kept; it is the caller's until {@link keep}. */
  take(dir: string, { file }: SliceFile): SliceReader | undefined {
    const kept = this.#kept.get(file);
    if (!kept) return undefined;
    this.#kept.delete(file);
    if (inodeOf(join(dir, file)) === kept.inode) return kept.slice;
    kept.slice.close();
    return undefined;
  }

  /** Takes a slice back, or closes it when it may still change or there is no room. */
  keep(slice: SliceReader): void {
    const { file } = slice.slice;
    const inode = slice.extent.sealed === 1 ? inodeOf(slice.path) : undefined;
    if (inode === undefined || this.#kept.size >= MAX_KEPT || this.#kept.has(file)) slice.close();
    else {
      this.#kept.set(file, { slice, inode });
      if (this.#packedBytes > MAX_PACKED_BYTES) slice.packed?.forget();
    }
  }

  get #packedBytes(): number {
    let bytes = 0;
    for (const { slice } of this.#kept.values()) bytes += slice.packed?.bytes ?? 0;
    return bytes;
  }

  /** Closes what the directory no longer has, so that its space is free. */
  forgetAllBut(present: readonly SliceFile[]): void {
    if (this.#kept.size === 0) return;
    const names = new Set(present.map(({ file }) => file));
    for (const [file, { slice }] of this.#kept) {
      if (names.has(file)) continue;
      slice.close();
      this.#kept.delete(file);
    }
  }

  close(): void {
    for (const { slice } of this.#kept.values()) slice.close();
    this.#kept.clear();
  }
}

const inodeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino;
