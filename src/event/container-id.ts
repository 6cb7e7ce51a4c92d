/** Container ids as people read them. */

/** The first 12 of 64 digits, as container runtimes print ids; other ids are names and stay whole. */
export function shortContainerId(id: string): string {
  return /^[0-9a-f]{64}$/.test(id) ? id.slice(0, 12) : id;
}
