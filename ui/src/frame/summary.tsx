/** The answer in a line or two: what was lost, and how far that can be trusted. */

import { downTime } from '../chart/coverage.ts';
import { layersOf, totalOf } from '../chart/layers.ts';
import { countText, plural, visible } from '../format/text.ts';
import { agoText, durationText, parseTime } from '../format/time.ts';
import { series, status } from '../state/data.ts';
import { gaps } from '../state/gaps.ts';
import { isFollowing, now, span } from '../state/view.ts';

export function Summary() {
  const { data } = series.value;
  if (!data) return <p class="summary">…</p>;
  const { resent, dropped, resets } = layersOf(data.series);
  const harmful = dropped.filter(({ isBenign }) => !isBenign);
  const [worst] = harmful;
  const parts = [
    { count: totalOf(resent), tone: 'resent', words: ['segment resent', 'segments resent'] },
    { count: totalOf(harmful), tone: 'dropped', words: ['packet dropped', 'packets dropped'] },
    { count: totalOf(resets), tone: 'reset', words: ['reset', 'resets'] },
  ].filter(({ count }) => count > 0);
  const isNothing = parts.length === 0;
  return (
    <p class="summary" role="status">
      {isNothing && !isAllDown() && <b>Nothing was lost</b>}
      {parts.map(({ count, tone, words }, at) => (
        <span key={tone}>
          {at > 0 && ', '}
          <b class={tone}>{countText(count)}</b> {words[count === 1 ? 0 : 1]}
        </span>
      ))}
      {worst?.what !== undefined && harmful.length > 1 && (
        <span class="quiet">
          {' '}
          · most by {visible(worst.what)} ({Math.round((100 * worst.total) / totalOf(harmful))} %)
        </span>
      )}
      <Trust isNothing={isNothing} />
    </p>
  );
}

/** Whether nothing can be known of the period at all. */
const isAllDown = (): boolean => downTime(gaps.value) >= span.value.until - span.value.from;

/** What is not known about this period. */
function Trust({ isNothing }: { isNothing: boolean }) {
  const all = gaps.value;
  const down = downTime(all);
  const { from, until } = span.value;
  if (isAllDown()) return <b class="trust">Not known: the recorder was down all that time</b>;
  const begin = all.find(({ state }) => state === 'before');
  const lost = all.filter(({ state }) => state === 'lost').reduce((sum, { count = 0 }) => sum + count, 0);
  const recorder = status.value.data?.recorder;
  const isDownNow = recorder?.state === 'down' && isFollowing.value && recorder.lastSeen !== undefined;
  const notes: string[] = [];
  if (begin) notes.push(`only of its last ${durationText(until - begin.until)} there is a history`);
  if (isDownNow)
    notes.push(`the recorder is down, last seen ${agoText(now.value - parseTime(recorder.lastSeen ?? ''))}`);
  if (down > 0 && !(isDownNow && down < now.value - parseTime(recorder.lastSeen ?? '') + 1000)) {
    notes.push(
      `${durationText(down)} of ${durationText(until - from)} the recorder was down: what was lost then is not known`,
    );
  }
  if (lost > 0) notes.push(`${plural(lost, 'event')} could not be kept`);
  const [skipped, ...further] = status.value.data?.skipped ?? [];
  if (skipped) {
    const others = further.length === 0 ? '' : ` and ${plural(further.length, 'other file')}`;
    notes.push(`${visible(skipped.file)}${others} of the store could not be read: ${visible(skipped.why)}`);
  }
  if (notes.length === 0)
    return isNothing ? <span class="quiet"> · the recorder was running all that time</span> : null;
  return (
    <span class="trust">
      {isNothing ? ' as far as recorded, but ' : ' · '}
      {notes.join('; ')}
    </span>
  );
}
