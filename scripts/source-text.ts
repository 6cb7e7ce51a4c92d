/** Reads imports out of TypeScript source without a parser: TypeScript 7 has no stable API for one. */

export interface Import {
  specifier: string;
  /** From 1. */
  line: number;
}

// Comments, strings, templates, and regular expressions (a slash where no operand precedes it).
const TEXT =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`|(?<=(?:[(,=:[!&|?{};>]|\breturn)\s*)\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\//g;

// `new URL('./x.ts', import.meta.url)` names the source of a worker, which is an import as well.
const BEFORE_SPECIFIER = /(?:\bfrom|\bimport|\bimport\s*\(|\bnew URL\s*\()\s*$/;

const SPECIFIER = /(?:\bfrom|\bimport|\bimport\s*\(|\bnew URL\s*\()\s*(['"])(.+?)\1/g;

/** The source with all text but module specifiers blanked; every character keeps its place. */
export function maskText(source: string): string {
  return source.replace(TEXT, (text, offset: number) => {
    const isSpecifier = /^['"]/.test(text) && BEFORE_SPECIFIER.test(source.slice(Math.max(0, offset - 40), offset));
    return isSpecifier ? text : text.replace(/[^\n]/g, ' ');
  });
}

/** Static, dynamic, type-only and worker imports, and re-exports, of masked source (see {@link maskText}). */
export function findImports(masked: string): Import[] {
  return [...masked.matchAll(SPECIFIER)].map(({ 0: text, 2: specifier = '', index }) => ({
    specifier,
    line: masked.slice(0, index + text.length).split('\n').length,
  }));
}
