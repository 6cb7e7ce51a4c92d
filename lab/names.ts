/** Names of what labs make tell who made it: `losslog-<pid>-<n>-<role>`. */

let counter = 0;

/** A name that nothing else on this machine has. */
export function uniqueName(role: string): string {
  counter++;
  return `losslog-${process.pid}-${counter}-${role}`;
}

/** The process that made the thing of this name, or undefined when no lab did. */
export function makerOf(name: string): number | undefined {
  const match = /^losslog-(\d+)-\d+-/.exec(name);
  return match ? Number(match[1]) : undefined;
}
