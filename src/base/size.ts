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
