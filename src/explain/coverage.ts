/** Whether the recorder saw everything at some time: only then does "no drop here" mean that there was none. */

import { NS_PER_S, type WallNs, wallNs } from '../base/time.ts';
import type { CoverageEvent } from '../event/kinds.ts';
import type { StoreReader } from '../store/store.ts';
import { coverageEvents, sessionStretches } from '../store/stretches.ts';

interface Stretch {
  readonly from: number;
  readonly until: number;
  readonly because: string;
}

/** As src/recorder/recorder.ts writes it. */
const NETNS_FILTER = /netns [\d ]+/;

/** Sentences of `blind` records that do not concern where packets were lost (src/capture/kernel-facts.ts, src/recorder/told.ts). */
const HARMLESS = /owner|reset is seen|retransmission is seen|only counters tell/;

export class Coverage {
  /** Whether a recorder was told to look at some namespaces only. */
  readonly isPartial: boolean;
  readonly #spoilt: readonly Stretch[];
  #last: Stretch | undefined;

  static read(reader: StoreReader, since: WallNs, until: WallNs, now: WallNs, base: WallNs): Coverage {
    const { sessions } = reader.coverage();
    const events = coverageEvents(reader, sessions, { from: since, until }, now);
    const ends = sessions.flatMap((session) => sessionStretches(session, now));
    const stretches = events
      .flatMap((event) => spoilt(event, ends))
      .map(({ from, until, because }) => ({ from: Number(from - base), until: Number(until - base), because }));
    const isPartial = events.some(({ state, why = '' }) => state === 'recording' && NETNS_FILTER.test(why));
    return new Coverage(stretches, isPartial);
  }

  constructor(spoilt: readonly Stretch[], isPartial: boolean) {
    this.isPartial = isPartial;
    this.#spoilt = spoilt;
  }

  /** Why a drop in this stretch may be missing; undefined when none is. */
  gap(from: number, until: number): string | undefined {
    const touches = (one: Stretch): boolean => one.from <= until && one.until >= from;
    if (this.#last && touches(this.#last)) return this.#last.because;
    this.#last = this.#spoilt.find(touches);
    return this.#last?.because;
  }
}

function spoilt(event: CoverageEvent, sessions: readonly { from: bigint; until: bigint }[]) {
  const { from, until, state, why = '', counter } = event;
  // A comparison with the kernel's counters, which came out even or need not.
  if (counter !== undefined && state !== 'lost') return [];
  switch (state) {
    case 'recording':
      return why.startsWith('only: ')
        ? onlyText(why.slice('only: '.length)).map((because) => ({ from, until, because }))
        : [];
    case 'down':
      return [{ from, until, because: 'the recorder was not running' }];
    case 'blind': {
      if (HARMLESS.test(why)) return [];
      // written at the start of a session, and true until its end
      const session = sessions.find((one) => one.from <= from && from <= one.until + 10n * NS_PER_S);
      return [{ from, until: session?.until ?? until, because: `this recorder was blind: ${why}` }];
    }
    default: {
      // the count is taken once a second: what it counts may lie a little before
      const begin = wallNs(from - NS_PER_S);
      return [
        { from: begin, until, because: `events were ${state === 'lost' ? 'lost' : 'only counted'} at that time` },
      ];
    }
  }
}

/** Other namespaces left out are no gap: a packet that is not dropped in those recorded was lost outside of them. */
function onlyText(filter: string): string[] {
  const rest = filter.replace(NETNS_FILTER, '').trim();
  return rest === '' ? [] : [`only a part was recorded (${rest})`];
}
