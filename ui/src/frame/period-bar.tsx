/** The period: presets, exact times, moving and zooming. */

import { useRef } from 'preact/hooks';
import { clockText, dayText, durationText, readTime, rfc3339, startOfDay, zoneText } from '../format/time.ts';
import { panned, zoomed } from '../state/period.ts';
import { zone } from '../state/settings.ts';
import { isFollowing, navigate, now, showSpan, span, view } from '../state/view.ts';

const PRESETS: readonly (readonly [string, string])[] = [
  ['15m', '-15m'],
  ['1h', '-1h'],
  ['6h', '-6h'],
  ['24h', '-24h'],
  ['7d', '-7d'],
];

export function PeriodBar() {
  const isLive = view.value.tab === 'live';
  return (
    <div class="period">
      <fieldset class="presets" aria-label="Period">
        {PRESETS.map(([label, since]) => (
          <button
            type="button"
            key={label}
            aria-pressed={!isLive && isFollowing.value && view.value.since === since}
            onClick={() => choose({ since, until: undefined })}
          >
            {label}
          </button>
        ))}
        <button type="button" aria-pressed={!isLive && isYesterday()} onClick={showYesterday}>
          yesterday
        </button>
        <button
          type="button"
          class="live-switch"
          aria-pressed={isLive}
          onClick={() => navigate({ tab: isLive ? 'breakdown' : 'live', event: undefined })}
        >
          live
        </button>
      </fieldset>
      {!isLive && <Exact />}
      {!isLive && <Moves />}
    </div>
  );
}

/** From the live view a period leads back to the record. */
function choose(period: { since: string; until: string | undefined }): void {
  navigate(view.value.tab === 'live' ? { ...period, tab: 'breakdown' } : period);
}

const yesterday = (): { since: string; until: string } => {
  const today = startOfDay(now.value, zone.value);
  return { since: rfc3339(startOfDay(today - 1, zone.value)), until: rfc3339(today) };
};

function showYesterday(): void {
  choose(yesterday());
}

function isYesterday(): boolean {
  const { since, until } = yesterday();
  return view.value.since === since && view.value.until === until;
}

function Moves() {
  return (
    <fieldset class="moves" aria-label="Move in time">
      <button
        type="button"
        aria-label="Earlier"
        title="Earlier (←)"
        onClick={() => showSpan(panned(span.value, -0.5, now.value))}
      >
        ‹
      </button>
      <button
        type="button"
        aria-label="Later"
        title="Later (→)"
        onClick={() => showSpan(panned(span.value, 0.5, now.value))}
      >
        ›
      </button>
      <button type="button" aria-label="Zoom in" title="Zoom in (+)" onClick={() => showSpan(zoomed(span.value, 0.5))}>
        +
      </button>
      <button type="button" aria-label="Zoom out" title="Zoom out (-)" onClick={() => showSpan(zoomed(span.value, 2))}>
        −
      </button>
    </fieldset>
  );
}

/** Two fields that take what the command line takes: `14:05`, `yesterday 14:05`, `-2h`, a date and a time. */
function Exact() {
  const form = useRef<HTMLFormElement>(null);
  const { from, until } = span.value;
  const digits = until - from < 10_000 ? 3 : 0;
  const text = (ms: number): string => `${dayText(ms, zone.value)} ${clockText(ms, zone.value, digits)}`;
  const submit = (event?: Event): void => {
    event?.preventDefault();
    const fields = form.current?.elements;
    const read = (name: string): number | undefined => {
      const input = fields?.namedItem(name) as HTMLInputElement;
      const ms = readTime(input.value, now.value, zone.value);
      input.setCustomValidity(
        ms === undefined ? 'A time like 14:05, yesterday 14:05, 2026-11-22 20:15:07, -2h or now' : '',
      );
      return ms;
    };
    const since = read('since');
    const end = read('until');
    if (since === undefined || end === undefined || since >= end) {
      form.current?.reportValidity();
      return;
    }
    showSpan({ from: since, until: end });
  };
  return (
    <form
      class="exact"
      ref={form}
      onSubmit={submit}
      title={`Times in ${zoneText(from, zone.value)}; 14:05, yesterday 14:05, -2h and now do too`}
    >
      <input
        key={`s${from}${zone.value}`}
        name="since"
        aria-label={`From, ${zoneText(from, zone.value)}`}
        value={text(from)}
        spellcheck={false}
        autocomplete="off"
      />
      <span aria-hidden="true">–</span>
      <input
        key={`u${until}${zone.value}`}
        name="until"
        aria-label={`To, ${zoneText(until, zone.value)}`}
        value={isFollowing.value ? 'now' : text(until)}
        spellcheck={false}
        autocomplete="off"
      />
      <button type="submit" class="sr-only">
        Show
      </button>
      <span class="length">{durationText(until - from)}</span>
    </form>
  );
}
