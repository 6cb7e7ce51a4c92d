/** Fails when a file of src/ or ui/ imports what its layer may not, or prints where it may not. Rules: scripts/layers.ts. */

import { globSync, readFileSync } from 'node:fs';
import { checkSource } from './layers.ts';

const root = new URL('..', import.meta.url).pathname;
const files = globSync('{src,ui}/**/*.{ts,tsx}', { cwd: root, exclude: ['**/node_modules/**'] }).sort();
const problems = files.flatMap((path) => checkSource(path, readFileSync(`${root}${path}`, 'utf8')));

for (const problem of problems) console.error(problem);
console.error(`layers: ${files.length} files, ${problems.length} problems`);
process.exitCode = problems.length > 0 || files.length === 0 ? 1 : 0;
