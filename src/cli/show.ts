/** `losslog show`. */

import { escapeJson } from '../base/escape.ts';
import { type WallNs, wallFromMs } from '../base/time.ts';
import type { Filter } from '../event/filter.ts';
import { toJson } from '../event/json.ts';
import type { Event } from '../event/kinds.ts';
import { localDay } from '../event/local-time.ts';
import { formatEvent } from '../event/text.ts';
import { StoreReader } from '../store/reader.ts';
import { storeDir } from './default-store.ts';
import { type filterFlags, toFilter } from './filters.ts';
import type { ValuesOf } from './flag.ts';
import { type Output, talk } from './output.ts';
import { remarks } from './remarks.ts';

type Values = ValuesOf<typeof filterFlags> & { store?: string; incident?: string; limit?: number; json?: true };

const DEFAULT_LIMIT = 100;
/** Output is handed over in pieces of about this many characters. */
const PIECE = 65_536;

/** Prints the newest `--limit` events in the order in which they happened. */
export async function show(values: Values, output: Output): Promise<number> {
  const filter = toFilter(values);
  const limit = values.limit ?? DEFAULT_LIMIT;
  const reader = StoreReader.open(storeDir(values.store));
  try {
    const { events, from } =
      values.incident === undefined
        ? select(reader, filter, limit)
        : newest(await evidence(reader, values.incident, filter), limit);
    const shown = await print(events, values.json ? jsonLine : textLine(output), output);
    const about = values.incident === undefined ? filter : { all: true };
    const cut = from === undefined ? {} : { cutTo: limit, from };
    for (const line of remarks(reader, about, { empty: shown === 0, ...cut })) talk(line);
  } finally {
    reader.close();
  }
  return 0;
}

/** The rules are twice as many modules as all the rest of `show`: loaded only where they are asked. */
async function evidence(reader: StoreReader, incident: string, filter: Filter): Promise<Event[]> {
  const { evidenceOf } = await import('../explain/explain.ts');
  return [...evidenceOf(reader, incident, filter)];
}

/** What is shown; with `from`, the time of its oldest, where there is more than that. */
interface Selected {
  events: Iterable<Event>;
  from?: WallNs;
}

function select(reader: StoreReader, filter: Filter, limit: number): Selected {
  if (limit === 0) return { events: reader.events(filter, { order: 'oldest' }) };
  return newest([...reader.events(filter, { order: 'newest', limit: limit + 1 })].reverse(), limit);
}

function newest(events: Event[], limit: number): Selected {
  if (limit === 0 || events.length <= limit) return { events };
  const shown = events.slice(-limit);
  return { events: shown, from: shown[0]?.time as WallNs };
}

type LineOf = (event: Event) => string;

const jsonLine: LineOf = (event) => escapeJson(toJson(event));

/** The date is left out when the first event, and so every one, is of today. */
function textLine({ width, color }: Output): LineOf {
  const today = localDay(wallFromMs(Date.now()));
  let options: Parameters<typeof formatEvent>[1] | undefined;
  return (event) => {
    options ??= { width, color, ...(localDay(event.time as WallNs) === today ? { hiddenDay: today } : {}) };
    return formatEvent(event, options);
  };
}

/** @returns how many. */
async function print(events: Iterable<Event>, line: LineOf, output: Output): Promise<number> {
  let count = 0;
  let piece = '';
  for (const event of events) {
    count++;
    piece += `${line(event)}\n`;
    if (piece.length < PIECE) continue;
    await output.writeAndWait(piece);
    piece = '';
  }
  await output.writeAndWait(piece);
  return count;
}
