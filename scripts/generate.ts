/**
 * Writes src/wire/layout.ts from the compiled BPF object.
 *
 *     node scripts/generate.ts [--check] [OBJECT [OUTPUT]]
 *
 * `--check` writes nothing and exits 1 when the file on disk differs.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { LosslogError, messageOf } from '../src/base/errors.ts';
import { layoutSource } from './layout.ts';

const ROOT = join(import.meta.dirname, '..');

function main(): number {
  const { values, positionals } = parseArgs({ options: { check: { type: 'boolean' } }, allowPositionals: true });
  const [object = join(ROOT, 'build/losslog.bpf.o'), output = join(ROOT, 'src/wire/layout.ts')] = positionals;
  if (!existsSync(object))
    throw new LosslogError('NOT_FOUND', `${object} does not exist`, { hint: 'run npm run setup' });
  const source = layoutSource(readFileSync(object));
  const stale = !existsSync(output) || readFileSync(output, 'utf8') !== source;
  if (stale && values.check) {
    process.stderr.write(`generate: ${relative(ROOT, output)} is stale; run npm run generate\n`);
    return 1;
  }
  if (stale) writeFileSync(output, source);
  return 0;
}

try {
  process.exitCode = main();
} catch (error) {
  const hint = error instanceof LosslogError && error.hint ? ` (${error.hint})` : '';
  process.stderr.write(`generate: ${messageOf(error)}${hint}\n`);
  process.exitCode = 1;
}
