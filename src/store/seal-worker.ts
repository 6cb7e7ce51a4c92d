/** Entry of the worker thread that seals slices: takes paths, answers each with whether it was sealed. */

import { parentPort } from 'node:worker_threads';
import { sealSlice } from './seal.ts';

parentPort?.on('message', (path: string) => {
  parentPort?.postMessage(isSealed(path));
});

/** Why it failed (the slice is being read, disk full) does not matter: it is tried again later. */
function isSealed(path: string): boolean {
  try {
    sealSlice(path);
    return true;
  } catch {
    return false;
  }
}
