/** Whether one event passes a filter: the same answer as that of the store, for events that are on their way. */

import { cidrContains } from '../base/ip.ts';
import type { Filter } from './filter.ts';
import type { Event } from './kinds.ts';

/** The fields that filters look at; which of them an event has depends on its kind. */
interface Filtered {
  readonly class?: string;
  readonly cause?: string;
  readonly reason?: string;
  readonly location?: string;
  readonly src?: Uint8Array;
  readonly dst?: Uint8Array;
  readonly sport?: number;
  readonly dport?: number;
  readonly process?: string;
  readonly pid?: number;
  readonly container?: string;
  readonly netns?: number;
}

export function matches(event: Event, filter: Filter): boolean {
  const { since, until, kinds } = filter;
  if (since !== undefined && event.time < since) return false;
  if (until !== undefined && event.time >= until) return false;
  // Who asks for a kind gets what was only counted of it, too.
  const of = event.kind === 'summary' ? event.of : event.kind;
  if (kinds !== undefined && !kinds.includes(event.kind) && !kinds.includes(of)) return false;
  const fields = event as Filtered;
  if (!filter.all && fields.class === 'benign' && (of === 'drop' || of === 'counter')) return false;
  return matchesWhat(fields, filter) && matchesFlow(fields, filter) && matchesOwner(fields, filter);
}

function matchesWhat({ cause, reason, location }: Filtered, filter: Filter): boolean {
  if (filter.cause !== undefined && cause !== filter.cause) return false;
  if (filter.reason !== undefined && (reason === undefined || lowerAscii(reason) !== lowerAscii(filter.reason)))
    return false;
  if (filter.location === undefined) return true;
  return location !== undefined && (location === filter.location || location.startsWith(`${filter.location}+`));
}

function matchesFlow({ src, dst, sport, dport }: Filtered, { peer, port }: Filter): boolean {
  if (port !== undefined && sport !== port && dport !== port) return false;
  if (peer === undefined) return true;
  return (src !== undefined && cidrContains(peer, src)) || (dst !== undefined && cidrContains(peer, dst));
}

function matchesOwner({ process, pid, container, netns }: Filtered, filter: Filter): boolean {
  if (filter.process !== undefined && process !== filter.process) return false;
  if (filter.pid !== undefined && pid !== filter.pid) return false;
  if (filter.netns !== undefined && netns !== filter.netns) return false;
  return filter.container === undefined || container?.startsWith(filter.container) === true;
}

/** SQLite's NOCASE folds the 26 letters only. */
const lowerAscii = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
