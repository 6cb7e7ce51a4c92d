/** Amounts of bytes as people write them. */

import { LosslogError } from './errors.ts';

const UNITS = ['', 'K', 'M', 'G', 'T'] as const;
const SIZE = /^(\d{1,15})(?:\.(\d{1,6}))?\s*([kmgt]?)(?:i?b)?$/i;

/**
 * Bytes of `512M`, `1G`, `1GiB`, `1.5g` or a plain number. Every unit is a power of 1024, as in df -h and journald.
 * @throws USAGE when it is no size, zero, or above 2^53.
 */
export function parseSize(text: string): number {
  const match = SIZE.exec(text);
  const [, whole = '', fraction = '0', unit = ''] = match ?? [];
  const bytes = Math.floor(Number(`${whole}.${fraction}`) * 1024 ** UNITS.indexOf(unit.toUpperCase() as 'K'));
  if (!match || bytes === 0 || !Number.isSafeInteger(bytes)) {
    throw new LosslogError('USAGE', `"${text}" is not a size`, { hint: 'give it like 512M, 1G or 1GiB' });
  }
  return bytes;
}

/** Three digits at most: `512 B`, `1.5 MiB`, `130 GiB`. */
export function formatSize(bytes: number): string {
  let power = 0;
  while (bytes >= 1024 ** (power + 1) && power < UNITS.length - 1) power++;
  const value = bytes / 1024 ** power;
  const digits = power === 0 || value >= 10 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[power]}${power === 0 ? 'B' : 'iB'}`;
}
