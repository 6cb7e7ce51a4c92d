/**
 * Runs the program of a checkout: its bundle (scripts/bundle.ts), or the sources themselves where one of them has changed since.
 * CommonJS without a single import that it can do without, since every command waits for it.
 */

const { readFileSync, statSync } = require('node:fs');

const root = `${__dirname}/..`;

/** Whether a bundle was made of the sources as they are: each has the time and the size that it had then. */
function isCurrent(bundle) {
  let sources;
  try {
    sources = JSON.parse(readFileSync(`${bundle}/sources.json`, 'utf8'));
  } catch {
    return false;
  }
  for (const file in sources) {
    const [mtimeMs, bytes] = sources[file];
    const found = statSync(`${root}/${file}`, { throwIfNoEntry: false });
    if (found?.mtimeMs !== mtimeMs || found.size !== bytes) return false;
  }
  return true;
}

if (require.main === module) {
  const bundle = `${root}/build/program`;
  if (isCurrent(bundle)) require(`${bundle}/main.cjs`);
  else import('../src/cli/main.ts');
} else module.exports = { isCurrent };
