/** The value of a field as text, the same in JSON and in CSV. */

import { formatIp } from '../base/ip.ts';
import { formatWall, type WallNs } from '../base/time.ts';
import type { FieldType } from './field.ts';

/** Numbers with all their digits, times as RFC 3339 with nanoseconds, addresses in text. */
export function valueText(type: FieldType, value: unknown): string {
  if (type === 'wall') return formatWall(value as WallNs);
  if (type === 'ip') return formatIp(value as Uint8Array);
  return String(value);
}

export const isNumeric = (type: FieldType): boolean => type === 'int' || type === 'ratio' || type === 'u64';
