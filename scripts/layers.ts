/** Who may import whom, and who may talk to the outside. Pure; scripts/check-layers.ts applies it to the tree. */

import { posix } from 'node:path';
import { findImports, maskText } from './source-text.ts';

/** The folders of src/, lowest level first. A folder imports from lower levels and from itself, never from a sibling. */
const LEVELS: readonly (readonly string[])[] = [
  ['base'],
  ['event'],
  ['wire', 'bpf', 'linux'],
  ['store'],
  ['capture', 'enrich', 'explain', 'export'],
  ['recorder', 'server'],
  ['cli'],
];

/** The only folder of src/ that prints or ends the process. */
const TALKER = 'cli';

const TALK = /\bconsole\s*\.\s*\w+|\bprocess\s*\.\s*(?:exit|exitCode|abort|stdout|stderr)\b/g;

function levelOf(layer: string): number {
  return LEVELS.findIndex((layers) => layers.includes(layer));
}

/** The layer of a path relative to the repository: `store` for src/store/x.ts, `lab` for lab/x.ts. */
function layerOf(path: string): string {
  const [top = '', folder = ''] = path.split('/');
  return top === 'src' ? folder : top;
}

function mayImport(from: string, to: string): boolean {
  if (from === to) return true;
  if (from === 'ui') return to === 'event';
  const level = levelOf(to);
  return level >= 0 && level < levelOf(from);
}

function checkImports(path: string, code: string): string[] {
  const from = layerOf(path);
  return findImports(code)
    .filter(({ specifier }) => /^\.\.?\/.*\.tsx?$/.test(specifier))
    .map(({ specifier, line }) => ({ to: layerOf(posix.join(posix.dirname(path), specifier)), line }))
    .filter(({ to }) => !mayImport(from, to))
    .map(({ to, line }) => `${from} may not import ${to} (${path}:${line})`);
}

function checkTalk(path: string, code: string): string[] {
  const from = layerOf(path);
  if (!path.startsWith('src/') || from === TALKER || /\.test(-util)?\.ts$/.test(path)) return [];
  return [...code.matchAll(TALK)].map(({ 0: call, index }) => {
    const line = code.slice(0, index).split('\n').length;
    return `${from} may not use ${call.replace(/\s/g, '')}, only ${TALKER} may (${path}:${line})`;
  });
}

/**
 * What is wrong with one source file of src/ or ui/, one line each.
 *
 * @param path relative to the repository, with `/`
 */
export function checkSource(path: string, source: string): string[] {
  if (path.startsWith('src/') && levelOf(layerOf(path)) < 0) return [`${path} is in no known layer of src/`];
  const code = maskText(source);
  return [...checkImports(path, code), ...checkTalk(path, code)];
}
