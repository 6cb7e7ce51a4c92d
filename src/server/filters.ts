/** The filters that the endpoints share, named as the flags of the command line are. */

import { LosslogError } from '../base/errors.ts';
import { parseCidr } from '../base/ip.ts';
import { formatWall, parseRfc3339, type WallNs, wallNs } from '../base/time.ts';
import { choice, integer, nonEmpty, parseContainer, parsePid, parsePort } from '../base/values.ts';
import { type Filter, plainFilter } from '../event/filter.ts';
import { CAUSES, KINDS } from '../event/kinds.ts';
import type { Parameter, ParameterTable, ValuesOf } from './parameter.ts';

const MAX_NETNS = 2 ** 32 - 1;
/** The last moment that 64 bits of nanoseconds can hold. */
const MAX_NS = 2n ** 63n - 1n;

/** A point in time. @throws USAGE */
export function parseTime(text: string): WallNs {
  const isNs = /^\d{1,19}$/.test(text) && BigInt(text) <= MAX_NS;
  const time = isNs ? wallNs(BigInt(text)) : parseRfc3339(text);
  if (time === undefined) {
    throw new LosslogError('USAGE', `"${text}" is not a time`, {
      hint: 'give RFC 3339 like 2026-11-22T20:15:00Z (write + as %2B), or nanoseconds since 1970',
    });
  }
  return time;
}

function parseSwitch(text: string): boolean {
  if (text === '' || text === '1' || text === 'true') return true;
  if (text === '0' || text === 'false') return false;
  throw new LosslogError('USAGE', `"${text}" is neither true nor false`);
}

export const timeParameter = (doc: string) =>
  ({
    doc,
    schema: { type: 'string', examples: ['2026-11-22T20:15:00Z', '1795378500000000000'] },
    parse: parseTime,
  }) as const satisfies Parameter<WallNs>;

export const filterParameters = {
  since: timeParameter('From this time on: RFC 3339, or nanoseconds since 1970.'),
  until: timeParameter('Before this time.'),
  kind: {
    doc: 'Kind of event; may be given several times.',
    schema: { type: 'string', enum: KINDS },
    parse: choice('kind', KINDS),
    several: true,
  },
  cause: {
    doc: 'Cause of a retransmission.',
    schema: { type: 'string', enum: CAUSES },
    parse: choice('cause', CAUSES),
  },
  reason: { doc: 'Reason of a drop or reset, like NETFILTER_DROP.', schema: { type: 'string' }, parse: nonEmpty },
  location: {
    doc: 'Place where a drop was freed: symbol+offset, or the symbol alone.',
    schema: { type: 'string' },
    parse: nonEmpty,
  },
  peer: { doc: 'Either end of the flow: an address or a block.', schema: { type: 'string' }, parse: parseCidr },
  port: { doc: 'Either port.', schema: { type: 'integer', minimum: 0, maximum: 65_535 }, parse: parsePort },
  process: { doc: 'Name of the owner of the socket.', schema: { type: 'string' }, parse: nonEmpty },
  pid: { doc: 'Process id of the owner of the socket.', schema: { type: 'integer', minimum: 1 }, parse: parsePid },
  container: {
    doc: 'Container id, or its beginning of at least four characters.',
    schema: { type: 'string', minLength: 4 },
    parse: parseContainer,
  },
  netns: {
    doc: 'Inode number of the network namespace.',
    schema: { type: 'integer', minimum: 1 },
    parse: integer('inode number', 1, MAX_NETNS),
  },
  all: { doc: 'Benign drops too.', schema: { type: 'boolean' }, parse: parseSwitch },
} as const satisfies ParameterTable;

export type FilterValues = ValuesOf<typeof filterParameters>;

/** @throws USAGE when the times leave nothing. */
export function toFilter({ kind, netns, all, ...values }: FilterValues): Filter {
  const { since, until } = values;
  if (since !== undefined && until !== undefined && since >= until) {
    throw new LosslogError('USAGE', `since ${formatWall(since)} is not before until ${formatWall(until)}`);
  }
  const filter = plainFilter(values);
  if (kind !== undefined) filter.kinds = kind;
  if (netns !== undefined) filter.netns = netns;
  if (all) filter.all = true;
  return filter;
}
