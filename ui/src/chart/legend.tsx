/** Names, colours and counts beside the time line; of the pointed bar, or of the whole period. A click filters. */

import { countText, visible } from '../format/text.ts';
import { clockText, dayText, durationText } from '../format/time.ts';
import { toggleFilter, view } from '../state/view.ts';
import type { Layer } from './layers.ts';
import type { Picture } from './plot.ts';

export function Legend({ picture, bar }: { picture: Picture; bar: number | undefined }) {
  const { layers, times, stepMs, zone, span } = picture;
  const begin = bar === undefined ? span.from : (times[bar] ?? span.from);
  const length = bar === undefined ? span.until - span.from : stepMs;
  return (
    <div class="legend">
      <p class="legend-time">
        <span>
          {dayText(begin, zone)} {clockText(begin, zone, length < 10_000 ? 3 : 0)}
        </span>{' '}
        <span class="quiet">+{durationText(length)}</span>
      </p>
      <LegendPart title="resent" layers={layers.resent} bar={bar} />
      <LegendPart title="dropped" layers={layers.dropped} bar={bar} />
      <LegendPart title="resets" layers={layers.resets} bar={bar} />
    </div>
  );
}

function LegendPart({ title, layers, bar }: { title: string; layers: readonly Layer[]; bar: number | undefined }) {
  const count = (layer: Layer): number => (bar === undefined ? layer.total : (layer.counts[bar] ?? 0));
  const total = layers.reduce((sum, layer) => sum + count(layer), 0);
  return (
    <div class="legend-part">
      <h2>
        {title} <b class={total === 0 ? 'zero' : ''}>{countText(total)}</b>
      </h2>
      <ul>
        {layers.map((layer) => (
          <li key={`${layer.what} ${layer.isBenign}`}>
            <LegendEntry layer={layer} count={count(layer)} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function LegendEntry({ layer, count }: { layer: Layer; count: number }) {
  const { what, kind, isRest, color } = layer;
  const name = kind === 'retransmit' ? 'cause' : 'reason';
  const content = (
    <>
      <i class="swatch" style={{ background: `var(${color})` }} />
      <span class="name">{visible(what ?? 'no reason given')}</span>
      <span class={count === 0 ? 'count zero' : 'count'}>{countText(count)}</span>
    </>
  );
  if (isRest || what === undefined || kind === 'reset') return <span class="legend-entry">{content}</span>;
  return (
    <button
      type="button"
      class="legend-entry"
      aria-pressed={view.value.filters[name] === what}
      onClick={() => toggleFilter(name, what)}
    >
      {content}
    </button>
  );
}
