/** The top line: which host, whether it records, and the preferences. */

import { visible } from '../format/text.ts';
import { agoText, clockText, dayText, parseTime, zoneText } from '../format/time.ts';
import { status } from '../state/data.ts';
import { isDark, switchTheme, switchZone, zone } from '../state/settings.ts';
import { now } from '../state/view.ts';
import { isHelpOpen } from './help.tsx';

export function Header() {
  return (
    <header class="top">
      <h1>
        <svg viewBox="0 0 34 10" width="34" height="10" aria-hidden="true">
          <path d="M1 5h8M12 5h4M23.5 5H33" />
          <circle cx="20" cy="5" r="1.6" />
        </svg>
        losslog
      </h1>
      <Recorder />
      <div class="preferences">
        <button type="button" onClick={switchZone} title="Switch between local time and UTC (u)">
          <span class="sr-only">Time zone: </span>
          {zone.value === 'utc' ? 'UTC' : `local ${zoneText(now.value, 'local')}`}
        </button>
        <button type="button" onClick={switchTheme} title="Switch between dark and light (t)">
          {isDark.value ? 'dark' : 'light'}
          <span class="sr-only"> theme</span>
        </button>
        <button
          type="button"
          onClick={() => {
            isHelpOpen.value = true;
          }}
          title="Keys and meanings (?)"
          aria-label="Help"
        >
          ?
        </button>
      </div>
    </header>
  );
}

function Recorder() {
  const { data } = status.value;
  if (!data) return <p class="recorder" />;
  const { recorder } = data;
  const isUp = recorder.state === 'recording';
  const when = isUp ? recorder.since : recorder.lastSeen;
  const host = recorder.host === undefined ? '' : visible(recorder.host);
  return (
    <p class={`recorder ${isUp ? 'up' : 'down'}`}>
      {host && <b>{host}</b>}
      <span class="state">
        {isUp ? 'recording' : 'recorder is down'}
        {when !== undefined &&
          (isUp ? ` since ${whenText(when)}` : `, last seen ${agoText(now.value - parseTime(when))}`)}
      </span>
      {recorder.kernel && <span class="kernel">Linux {visible(recorder.kernel)}</span>}
      {recorder.filter && <span class="only">only {visible(recorder.filter)}</span>}
    </p>
  );
}

function whenText(time: string): string {
  const ms = parseTime(time);
  const day = dayText(ms, zone.value);
  const clock = clockText(ms, zone.value).slice(0, 5);
  return day === dayText(now.value, zone.value) ? clock : `${day} ${clock}`;
}
