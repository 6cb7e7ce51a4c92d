/** What the live view asks of the store, once a second. */

import { messageOf } from '../../base/errors.ts';
import { NS_PER_S, type WallNs, wallFromMs, wallNs } from '../../base/time.ts';
import type { Filter } from '../../event/filter.ts';
import { localClock } from '../../event/local-time.ts';
import { StoreReader } from '../../store/reader.ts';
import { isAlive } from '../../store/stretches.ts';
import { type Rates, type Settings, type Snapshot, WINDOWS } from './state.ts';

const ROWS = 200;
const EVENTS = 50;
const HISTORY = 600;
/** Events are stored half a second after they happened at the latest, as long as storing works. */
const STORED_AFTER_NS = NS_PER_S;

export class LiveStore {
  readonly #dir: string;
  readonly #filter: Filter;
  #history: Rates[] = [];
  #countedTo: WallNs;

  constructor(dir: string, filter: Filter, now: WallNs) {
    this.#dir = dir;
    this.#filter = filter;
    this.#countedTo = wallNs(now - STORED_AFTER_NS - NS_PER_S);
  }

  /** Never throws: what is wrong is in the snapshot. */
  read({ by, window, all }: Settings, now: WallNs = wallFromMs(Date.now())): Snapshot {
    const clock = localClock(now, 0);
    let reader: StoreReader | undefined;
    try {
      reader = StoreReader.open(this.#dir);
      const filter = { ...this.#filter, ...(all ? { all: true } : {}) };
      this.#count(reader, filter, wallNs(now - STORED_AFTER_NS));
      const since = wallNs(now - BigInt(WINDOWS[window] as number) * NS_PER_S);
      const rows = reader.top({ ...filter, since }, by, ROWS);
      const events = [...reader.events({ ...filter, since }, { order: 'newest', limit: EVENTS })];
      const alarm = alarmOf(reader, now);
      return { clock, history: this.#history, rows, events, ...(alarm === undefined ? {} : { alarm }) };
    } catch (error) {
      return { clock, history: this.#history, rows: [], events: [], alarm: messageOf(error) };
    } finally {
      reader?.close();
    }
  }

  /** Adds up what was lost since the last time. */
  #count(reader: StoreReader, filter: Filter, until: WallNs): void {
    const since = this.#countedTo;
    if (until <= since) return;
    this.#countedTo = until;
    const rates = { segments: 0, drops: 0, resets: 0 };
    for (const row of reader.top({ ...filter, since, until }, 'netns', Number.MAX_SAFE_INTEGER)) {
      rates.segments += Math.max(row.segments, row.retransmissions);
      rates.drops += row.drops;
      rates.resets += row.resets;
    }
    const seconds = Math.max(1, Number(until - since) / Number(NS_PER_S));
    const perSecond = {
      segments: rates.segments / seconds,
      drops: rates.drops / seconds,
      resets: rates.resets / seconds,
    };
    this.#history = [...this.#history, rounded(perSecond)].slice(-HISTORY);
  }
}

const rounded = ({ segments, drops, resets }: Rates): Rates => ({
  segments: Math.round(segments),
  drops: Math.round(drops),
  resets: Math.round(resets),
});

function alarmOf(reader: StoreReader, now: WallNs): string | undefined {
  const session = reader.latestSession();
  if (session === undefined) return 'nothing was recorded yet: start losslog record';
  return isAlive(session, now)
    ? undefined
    : `nothing is recorded since ${localClock(session.lastNs, 0)}: the recorder is not running`;
}
