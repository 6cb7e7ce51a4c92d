/**
 * The id of an incident says what it is about, and holds all that is needed to find its events again: rule, period, and
 * a hash of the place. `firewall-20261123T020909Z-65s-3fa91c`
 */

import { LosslogError } from '../base/errors.ts';
import { floorDiv, formatWall, NS_PER_S, parseRfc3339, type WallNs, wallNs } from '../base/time.ts';
import type { Claim } from './rules/rule.ts';

export interface IncidentId {
  rule: string;
  /** Inclusive, in whole seconds. */
  from: WallNs;
  /** Exclusive. */
  until: WallNs;
  hash: string;
}

export function formatId(rule: string, from: WallNs, until: WallNs, key: string): string {
  const begin = wallNs(floorDiv(from, NS_PER_S) * NS_PER_S);
  const seconds = floorDiv(until - begin, NS_PER_S) + 1n;
  const time = formatWall(begin).slice(0, 19).replaceAll(/[-:]/g, '');
  return `${rule}-${time}Z-${seconds}s-${hashOf(key)}`;
}

const ID = /^([a-z][a-z-]*)-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-(\d{1,9})s-([0-9a-f]{6})$/;

/** @throws USAGE when it is no id. */
export function parseId(text: string): IncidentId {
  const [, rule, year, month, day, hour, minute, second, seconds, hash] = ID.exec(text) ?? [];
  const from = parseRfc3339(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (rule === undefined || hash === undefined || seconds === undefined || from === undefined) {
    throw new LosslogError('USAGE', `"${text}" is not the id of an incident`, {
      hint: 'take one that losslog why prints',
    });
  }
  return { rule, from, until: wallNs(from + BigInt(seconds) * NS_PER_S), hash };
}

/** What tells incidents of one rule apart, beside time. @param withPeer false: whatever the peer is */
export function keyOf(rule: string, { place, peer, what }: Claim, withPeer: boolean): string {
  const { netns, device, location, reason, direction } = place;
  const saysNothing = reason === undefined || reason === 'NOT_SPECIFIED' || rule === 'other-drop';
  const kernel = what ?? `${saysNothing ? location : ''}|${reason}`;
  return [rule, netns, device, kernel, direction, withPeer ? peer : ''].join('|');
}

/** FNV-1a, 24 bits of it: incidents of one rule and period are few. */
export function hashOf(key: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(key)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return (hash & 0xffffff).toString(16).padStart(6, '0');
}
