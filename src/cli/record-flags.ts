import { parseDuration } from '../base/duration.ts';
import { LosslogError } from '../base/errors.ts';
import { parseSize } from '../base/size.ts';
import { choice, nonEmpty } from '../base/values.ts';
import { SOURCES } from '../capture/capture.ts';
import { BURST_SECONDS, DEFAULT_LIMITS, type RateLimit } from '../capture/limits.ts';
import { HEADERS, MAX_SNAPLEN, parseSnaplen } from '../capture/snaplen.ts';
import { storeFlag } from './default-store.ts';
import type { FlagTable } from './flag.ts';
import { serveFlags } from './serve-flags.ts';

const FORMS = ['text', 'json'] as const;
export type PrintForm = (typeof FORMS)[number];

const MAX_RATE = 1_000_000;

/** `100/1000`, or `0` for no limit. @throws USAGE */
export function parseRateLimit(text: string): RateLimit {
  const [perKey, total, ...more] = text.split('/').map((part) => (/^\d{1,7}$/.test(part) ? Number(part) : Number.NaN));
  if (perKey === 0 && total === undefined) return { perKey: 0, total: 0 };
  const isRate = (rate: number | undefined): rate is number => rate !== undefined && rate >= 0 && rate <= MAX_RATE;
  if (!isRate(perKey) || !isRate(total) || more.length > 0) {
    throw new LosslogError('USAGE', `"${text}" is not a limit`, {
      hint: `give two numbers up to ${MAX_RATE}, like 100/1000 (0: no limit)`,
    });
  }
  return { perKey, total };
}

const rateText = ({ perKey, total }: RateLimit): string => `${perKey}/${total}`;

export const recordFlags = {
  store: storeFlag,
  netns: {
    type: 'list',
    placeholder: 'NETNS',
    doc: 'only this network namespace: its name, path or inode number; may be given several times',
    parse: nonEmpty,
  },
  source: {
    type: 'value',
    placeholder: 'SOURCE',
    doc: `where events come from: ${SOURCES.join(', ')}; by itself the best that works here`,
    parse: choice('source', SOURCES),
    choices: SOURCES,
  },
  offsets: {
    type: 'value',
    placeholder: 'FILE',
    doc: 'for --source kprobe on a kernel without type information: what losslog offset --kprobe --json wrote for it elsewhere',
    parse: nonEmpty,
  },
  'limit-drops': {
    type: 'value',
    placeholder: 'N/M',
    doc: `record at most N drops a second of one reason at one place, and M in all (${rateText(DEFAULT_LIMITS.drops)}; 0: no limit), in a burst ${BURST_SECONDS.drops.perKey} times N and ${BURST_SECONDS.drops.total} times M; the rest is counted exactly`,
    parse: parseRateLimit,
  },
  'limit-connections': {
    type: 'value',
    placeholder: 'N/M',
    doc: `the same for retransmissions and resets: N a second of one connection, M in all (${rateText(DEFAULT_LIMITS.connections)})`,
    parse: parseRateLimit,
  },
  'report-every': {
    type: 'value',
    placeholder: 'DURATION',
    doc: 'report a connection that goes on resending so often while it lives (1m)',
    parse: parseDuration,
  },
  snaplen: {
    type: 'value',
    placeholder: 'BYTES',
    doc: `keep so many bytes from the begin of each dropped packet, for export --format pcapng: up to ${MAX_SNAPLEN}, whatever they carry; 0: none; ${HEADERS}: the headers and nothing that they carry (${HEADERS})`,
    parse: parseSnaplen,
  },
  'no-drops': { type: 'switch', doc: 'retransmissions and resets only' },
  print: {
    type: 'optional',
    placeholder: 'FORM',
    doc: 'print events as text or json also where stdout is no terminal',
    parse: choice('form', FORMS),
    choices: FORMS,
    whenBare: 'text' as const,
  },
  all: { type: 'switch', doc: 'print benign drops too' },
  for: { type: 'value', placeholder: 'DURATION', doc: 'end after this long: 10s, 5m, 1h30m', parse: parseDuration },
  pin: {
    type: 'value',
    placeholder: 'DIR',
    doc: 'keep the kernel side in this directory of a bpffs, beyond the end of this process; none: not at all (one for each store)',
    parse: nonEmpty,
  },
  detach: {
    type: 'switch',
    doc: 'at the end leave the kernel recording; without --for that is at once. losslog record goes on from there, losslog stop ends it',
  },
  'max-size': {
    type: 'value',
    placeholder: 'SIZE',
    doc: 'remove the oldest history above this size (1G)',
    parse: parseSize,
  },
  'max-age': {
    type: 'value',
    placeholder: 'DURATION',
    doc: 'remove history older than this (30d)',
    parse: parseDuration,
  },
  ...serveFlags,
  listen: { ...serveFlags.listen, doc: `serve the page and the API too; ${serveFlags.listen.doc}` },
} as const satisfies FlagTable;
