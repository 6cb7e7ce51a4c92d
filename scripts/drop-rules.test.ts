import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { dropRules } from '../src/wire/drop-rules.ts';
import { withRules } from './drop-rules.ts';

const page = readFileSync(join(import.meta.dirname, '../docs/events/drop.md'), 'utf8');

test('the page lists the rules that are in force', () => {
  assert.equal(withRules(page), page, 'run npm run generate');
  for (const { why } of dropRules) assert.ok(page.includes(why));
});

test('a page without a place for them', () => {
  assert.throws(() => withRules('# drop\n'), /no place for the rules/);
});
