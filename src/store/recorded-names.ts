/** Names of network namespaces as they were recorded. */

import type { Filter } from '../event/filter.ts';
import type { StoreReader } from './reader.ts';
import type { TopRow } from './tally.ts';

/** Names of namespaces by the text of their inode number. */
export type NetnsNames = ReadonlyMap<string, string>;

/** The latest name of each namespace in the rows: the kernel reuses inode numbers, so today's names may be of others. */
export function netnsNamesOf(reader: StoreReader, filter: Filter, rows: readonly TopRow[]): NetnsNames {
  const names = new Map<string, string>();
  const named = reader.namedNamespaces(filter);
  for (const { key } of rows) {
    if (key === undefined || !named.has(key)) continue;
    for (const event of reader.events({ ...filter, netns: Number(key) }, { order: 'newest', limit: 1 })) {
      if ('netnsName' in event && event.netnsName !== undefined) names.set(key, event.netnsName);
    }
  }
  return names;
}
