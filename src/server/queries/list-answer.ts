/** An answer whose list is text already. */

/** @param items each JSON @param rest further members of the answer, at least one */
export function listAnswer(name: string, items: readonly string[], rest: object): string {
  return `{${JSON.stringify(name)}:[${items.join(',')}],${JSON.stringify(rest).slice(1)}`;
}
