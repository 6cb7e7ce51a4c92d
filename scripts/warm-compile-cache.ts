/**
 * Loads every module once, so that Node keeps the JavaScript that is left of the TypeScript (NODE_COMPILE_CACHE). A recorder that
 * finds all of it there never loads the type stripper, which is 30 MB of memory.
 */

import { globSync } from 'node:fs';
import { flushCompileCache } from 'node:module';

/** These run when they are loaded. */
const PROGRAMS = /^src\/(cli\/main|store\/seal-worker)\.ts$|\.test(-util)?\.ts$/;

for (const file of globSync('src/**/*.ts')) {
  if (PROGRAMS.test(file)) continue;
  // A module that does not load is for the tests to complain of: setting up goes on.
  await import(new URL(`../${file}`, import.meta.url).href).catch(() => undefined);
}
flushCompileCache();
