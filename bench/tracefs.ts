/** tracefs for programs that need it, on hosts where it is not mounted. */

const MOUNTED = '[ -e /sys/kernel/tracing/events ] || mount -t tracefs tracefs /sys/kernel/tracing; exec "$@"';

/** A command line that runs the program where tracefs is mounted; where it is not, it is for the program alone. */
export const withTracefs = (...command: readonly string[]): string[] => [
  'unshare',
  '--mount',
  'sh',
  '-c',
  MOUNTED,
  'sh',
  ...command,
];
