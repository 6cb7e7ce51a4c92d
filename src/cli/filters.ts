/** The filters that the commands share: their flags, and the Filter that they make. */

import { LosslogError } from '../base/errors.ts';
import { parseCidr } from '../base/ip.ts';
import { choice, nonEmpty, parseContainer, parsePid, parsePort } from '../base/values.ts';
import { type Filter, plainFilter } from '../event/filter.ts';
import { CAUSES, KINDS } from '../event/kinds.ts';
import { localTime } from '../event/local-time.ts';
import { resolveNetns } from '../linux/netns.ts';
import type { FlagTable, ParseContext, ValuesOf } from './flag.ts';
import { parseTimeArgument } from './time-argument.ts';

const time = (doc: string) =>
  ({
    type: 'value',
    placeholder: 'T',
    doc,
    parse: (text: string, { now }: ParseContext) => parseTimeArgument(text, now),
  }) as const;

export const filterFlags = {
  since: time('from this time on: 20:15, "2026-11-22 20:15", -2h, yesterday, "last thursday 14:05"'),
  until: time('before this time'),
  kind: {
    type: 'value',
    placeholder: 'KIND',
    doc: `one of ${KINDS.join(', ')}`,
    parse: choice('kind', KINDS),
    choices: KINDS,
  },
  cause: {
    type: 'value',
    placeholder: 'CAUSE',
    doc: `of a retransmission: one of ${CAUSES.join(', ')}`,
    parse: choice('cause', CAUSES),
    choices: CAUSES,
  },
  reason: { type: 'value', placeholder: 'REASON', doc: 'of a drop or reset, like NETFILTER_DROP', parse: nonEmpty },
  location: {
    type: 'value',
    placeholder: 'PLACE',
    doc: 'where a drop was freed: symbol+offset, or the symbol alone',
    parse: nonEmpty,
  },
  peer: { type: 'value', placeholder: 'IP|CIDR', doc: 'either end of the flow', parse: parseCidr },
  port: { type: 'value', placeholder: 'N', doc: 'either port', parse: parsePort },
  process: { type: 'value', placeholder: 'NAME', doc: 'name of the owner of the socket', parse: nonEmpty },
  pid: { type: 'value', placeholder: 'N', doc: 'process id of the owner of the socket', parse: parsePid },
  container: { type: 'value', placeholder: 'ID', doc: 'container id or its beginning', parse: parseContainer },
  netns: {
    type: 'value',
    placeholder: 'NETNS',
    doc: 'network namespace: its inode number, name or path',
    parse: nonEmpty,
  },
  all: { type: 'switch', doc: 'benign drops too' },
} as const satisfies FlagTable;

/** @throws USAGE when the times leave nothing, NOT_FOUND for a namespace that does not exist. */
export function toFilter(values: ValuesOf<typeof filterFlags>): Filter {
  const { since, until } = values;
  if (since !== undefined && until !== undefined && since >= until) {
    throw new LosslogError('USAGE', `--since ${localTime(since, 0)} is not before --until ${localTime(until, 0)}`, {
      hint: 'a time of day is the latest one that has passed; give the date too',
    });
  }
  const { kind, netns, all, ...rest } = values;
  const filter = plainFilter(rest);
  if (kind !== undefined) filter.kinds = [kind];
  if (netns !== undefined) filter.netns = resolveNetns(netns);
  if (all) filter.all = true;
  return filter;
}
