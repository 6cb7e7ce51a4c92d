import { parseDuration } from '../base/duration.ts';
import { parseSize } from '../base/size.ts';
import { choice, nonEmpty } from '../base/values.ts';
import { SOURCES } from '../capture/capture.ts';
import { storeFlag } from './default-store.ts';
import type { FlagTable } from './flag.ts';
import { serveFlags } from './serve-flags.ts';

const FORMS = ['text', 'json'] as const;
export type PrintForm = (typeof FORMS)[number];

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
