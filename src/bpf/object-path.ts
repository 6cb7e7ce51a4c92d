/** Where the compiled BPF object lies: in dist/ of the package, under build/ in a checkout. */

import { existsSync } from 'node:fs';
import { LosslogError } from '../base/errors.ts';

const CANDIDATES = ['../bpf/losslog.bpf.o', '../../build/losslog.bpf.o'];

/** @throws NOT_FOUND when it was not compiled. */
export function objectPath(): URL {
  const found = CANDIDATES.map((path) => new URL(path, import.meta.url)).find((url) => existsSync(url));
  if (found) return found;
  throw new LosslogError('NOT_FOUND', 'the compiled BPF object is missing', {
    hint: 'run `npm run setup` in the checkout',
  });
}
