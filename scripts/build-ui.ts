/**
 * Builds the page of ui/ into build/ui, and holds it to its size. The server compresses the files as it reads them.
 *
 *     node scripts/build-ui.ts
 */

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, gzipSync } from 'node:zlib';
import { build } from 'vite';

/** All of the page, compressed. */
const BUDGET_BYTES = 60_000;

const root = new URL('..', import.meta.url).pathname;
const out = join(root, 'build/ui');

await build({ configFile: join(root, 'ui/vite.config.ts'), logLevel: 'warn' });

const sizeOf = (name: string): number =>
  gzipSync(readFileSync(join(out, name)), { level: constants.Z_BEST_COMPRESSION }).length;
const total = globSync('**/*.{html,js,css}', { cwd: out }).reduce((sum, name) => sum + sizeOf(name), 0);
console.error(`page: ${(total / 1000).toFixed(1)} kB compressed, of ${BUDGET_BYTES / 1000} kB allowed`);
if (total > BUDGET_BYTES) process.exitCode = 1;
