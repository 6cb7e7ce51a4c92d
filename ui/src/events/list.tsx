/** The list of events; only the rows in sight exist in the document. */

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { EventPage, JsonEvent } from '../api/types.ts';
import { countText, visible } from '../format/text.ts';
import { dayText, eventClock, parseTime } from '../format/time.ts';
import { ProblemNote } from '../frame/problem.tsx';
import { newestPage } from '../state/data.ts';
import { zone } from '../state/settings.ts';
import { navigate, view } from '../state/view.ts';
import { events, fetchMore, hasMore, isCut, MOST_EVENTS, moreProblem } from './pages.ts';
import { wordsOf } from './words.ts';

/** Rows kept above and below what is in sight. */
const SPARE = 12;
/** Height of a row of one line, and of one of two where there is no room for one: as in events.css. */
const LOW_ROW = 23;
const HIGH_ROW = 46;
const NARROW = 660;
/** So many rows before the end the next page is fetched. */
const AHEAD = 150;

export function Events() {
  const { data, problem } = newestPage.value;
  const { order } = view.value;
  return (
    <section class="events" aria-label="Events">
      <div class="events-head">
        {view.value.incident !== undefined && (
          <button type="button" class="chip" onClick={() => navigate({ incident: undefined })}>
            <span class="chip-name">only of the incident</span> {visible(view.value.incident)}
            <span aria-hidden="true"> ×</span>
            <span class="sr-only">, show all</span>
          </button>
        )}
        <button
          type="button"
          class="plain"
          hidden={view.value.incident !== undefined}
          onClick={() => navigate({ order: order === 'newest' ? 'oldest' : 'newest' })}
        >
          {order === 'newest' ? 'newest first ↓' : 'oldest first ↑'}
        </button>
        <span class="quiet">
          {countText(events.value.length)}
          {hasMore.value ? ' loaded, more when scrolled' : ' events'}
          {view.value.incident !== undefined && data?.more && ', the first of them'}
          {isCut.value && `: no more than ${countText(MOST_EVENTS)} are listed; zoom in or filter`}
          {leftOutText(data)}
        </span>
      </div>
      {problem && <ProblemNote problem={problem} />}
      {moreProblem.value && <ProblemNote problem={moreProblem.value} />}
      {data && events.value.length === 0 ? (
        <p class="nothing">no event in this period</p>
      ) : (
        <Rows all={events.value} grow={fetchMore} />
      )}
    </section>
  );
}

function leftOutText(page: EventPage | undefined): string {
  const { benign = 0, atLeast = false } = page?.leftOut ?? {};
  return benign === 0 ? '' : ` · ${countText(benign)}${atLeast ? ' or more' : ''} benign drops left out`;
}

interface Window {
  readonly top: number;
  readonly height: number;
  readonly row: number;
}

interface RowsProps {
  readonly all: readonly JsonEvent[];
  /** Fetches more. */
  readonly grow?: () => Promise<void>;
  /** All of them are of now: their day goes without saying. */
  readonly isNow?: boolean;
}

export function Rows({ all, grow, isNow = false }: RowsProps) {
  const holder = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<Window>({ top: 0, height: 600, row: LOW_ROW });
  const [active, setActive] = useState(0);
  useLayoutEffect(() => measure(holder, setAt), []);
  const first = Math.max(0, Math.floor(at.top / at.row) - SPARE);
  const last = Math.min(all.length, Math.ceil((at.top + at.height) / at.row) + SPARE);
  useEffect(() => {
    if (grow && last > all.length - AHEAD) void grow();
  }, [grow, last, all.length]);
  const keys = (event: KeyboardEvent): void => {
    const next = rowByKey(event.key, active, all.length, Math.max(1, Math.floor(at.height / at.row) - 1));
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (next === 'open') open(all[active]);
    else {
      setActive(next);
      reveal(holder.current, next, at);
    }
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a table element cannot leave out the rows that are not in sight
    <div
      class="rows"
      ref={holder}
      role="grid"
      aria-label="Events"
      aria-rowcount={all.length}
      aria-activedescendant={all.length > 0 ? `event-${active}` : undefined}
      tabIndex={0}
      onKeyDown={keys}
    >
      {/* biome-ignore lint/a11y/useSemanticElements: as for the grid */}
      <div role="rowgroup" style={{ height: `${all.length * at.row}px`, '--row': `${at.row}px` }}>
        {all.slice(first, last).map((event, offset) => (
          <EventRow
            key={`${first + offset} ${event.time}`}
            event={event}
            index={first + offset}
            top={(first + offset) * at.row}
            isActive={first + offset === active}
            previous={all[first + offset - 1]}
            isNow={isNow}
          />
        ))}
      </div>
    </div>
  );
}

const open = (event: JsonEvent | undefined): void => {
  if (event) navigate({ event: event.time });
};

function measure(holder: { current: HTMLDivElement | null }, set: (window: Window) => void): () => void {
  const element = holder.current;
  if (!element) return () => undefined;
  const read = (): void => {
    const row = element.clientWidth > NARROW ? LOW_ROW : HIGH_ROW;
    set({ top: element.scrollTop, height: element.clientHeight, row });
  };
  const resized = new ResizeObserver(read);
  resized.observe(element);
  element.addEventListener('scroll', read, { passive: true });
  read();
  return () => {
    resized.disconnect();
    element.removeEventListener('scroll', read);
  };
}

function rowByKey(key: string, active: number, count: number, page: number): number | 'open' | undefined {
  const moves: Record<string, number> = {
    ArrowDown: 1,
    ArrowUp: -1,
    PageDown: page,
    PageUp: -page,
    Home: -count,
    End: count,
  };
  if (key === 'Enter') return 'open';
  const move = moves[key];
  return move === undefined ? undefined : Math.max(0, Math.min(count - 1, active + move));
}

function reveal(element: HTMLElement | null, index: number, { row }: Window): void {
  if (!element) return;
  const top = index * row;
  if (top < element.scrollTop) element.scrollTop = top;
  else if (top + row > element.scrollTop + element.clientHeight) element.scrollTop = top + row - element.clientHeight;
}

interface RowProps {
  event: JsonEvent;
  index: number;
  top: number;
  isActive: boolean;
  previous: JsonEvent | undefined;
  isNow: boolean;
}

function EventRow({ event, index, top, isActive, previous, isNow }: RowProps) {
  const words = wordsOf(event);
  const day = dayText(parseTime(event.time), zone.value);
  const isNewDay = !isNow && (!previous || dayText(parseTime(previous.time), zone.value) !== day);
  const isOpen = view.value.event === event.time;
  return (
    // biome-ignore lint/a11y/useSemanticElements: as for the grid
    // biome-ignore lint/a11y/useFocusableInteractive: the grid has the focus and names its active row
    // biome-ignore lint/a11y/useKeyWithClickEvents: Enter in the grid opens the active row
    <div
      role="row"
      id={`event-${index}`}
      aria-rowindex={index + 1}
      aria-selected={isOpen}
      class={`row ${words.tone} ${isActive ? 'active' : ''} ${isOpen ? 'open' : ''}`}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => open(event)}
    >
      <Cell
        class="time"
        text={isNewDay ? `${day.slice(5)} ${eventClock(event.time, zone.value)}` : eventClock(event.time, zone.value)}
      />
      <Cell class="label" text={words.label} />
      <Cell class="what" text={words.what} />
      <Cell class="flow" text={words.flow} />
      <Cell class="owner" text={words.owner} />
      <Cell class="rest" text={words.rest} />
    </div>
  );
}

function Cell({ class: name, text }: { class: string; text: string }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: as for the grid
    // biome-ignore lint/a11y/useFocusableInteractive: as for the row
    <span role="gridcell" class={name}>
      {visible(text)}
    </span>
  );
}
