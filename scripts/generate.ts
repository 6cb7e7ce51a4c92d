/**
 * Writes what is derived from other files: src/wire/layout.ts from the compiled BPF object, and the rules in
 * docs/events/drop.md from src/wire/drop-rules.ts.
 *
 *     node scripts/generate.ts [--check] [OBJECT [OUTPUT]]
 *
 * `--check` writes nothing and exits 1 when a file on disk differs. With OBJECT only the layout is written.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { LosslogError, messageOf } from '../src/base/errors.ts';
import { withRules } from './drop-rules.ts';
import { layoutSource } from './layout.ts';

const ROOT = join(import.meta.dirname, '..');
const RULES_PAGE = join(ROOT, 'docs/events/drop.md');

function main(): number {
  const { values, positionals } = parseArgs({ options: { check: { type: 'boolean' } }, allowPositionals: true });
  const [object = join(ROOT, 'build/losslog.bpf.o'), output = join(ROOT, 'src/wire/layout.ts')] = positionals;
  if (!existsSync(object))
    throw new LosslogError('NOT_FOUND', `${object} does not exist`, { hint: 'run npm run setup' });
  const texts = new Map([[output, layoutSource(readFileSync(object))]]);
  if (positionals.length === 0) texts.set(RULES_PAGE, withRules(readFileSync(RULES_PAGE, 'utf8')));
  const stale = [...texts].filter(([path, text]) => !existsSync(path) || readFileSync(path, 'utf8') !== text);
  if (values.check) {
    for (const [path] of stale) {
      process.stderr.write(`generate: ${relative(ROOT, path)} is stale; run npm run generate\n`);
    }
    return stale.length === 0 ? 0 : 1;
  }
  for (const [path, text] of stale) writeFileSync(path, text);
  return 0;
}

try {
  process.exitCode = main();
} catch (error) {
  const hint = error instanceof LosslogError && error.hint ? ` (${error.hint})` : '';
  process.stderr.write(`generate: ${messageOf(error)}${hint}\n`);
  process.exitCode = 1;
}
