/** The arrows of a sequence diagram. */

import type { StoryStep } from '../api/types.ts';

/** Height of a step. */
export const STEP_PX = 46;
const WIDTH = 260;
const LEFT = 8;
const RIGHT = WIDTH - 8;
/** How far across a packet comes that is lost, and one that is not sent. */
const LOST_AT = 0.62;
const UNSENT_AT = 0.12;

const TONE: Partial<Record<StoryStep['event']['kind'], string>> = {
  retransmit: 'resent',
  drop: 'dropped',
  reset: 'reset',
};

/** Seen only: what they say stands beside them in words. */
export function Arrows({ steps }: { steps: readonly StoryStep[] }) {
  const height = steps.length * STEP_PX;
  return (
    <svg
      class="arrows"
      width={WIDTH}
      height={height}
      viewBox={`0 0 ${WIDTH} ${height}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path class="life" d={`M${LEFT} 0V${height}M${RIGHT} 0V${height}`} />
      {steps.map((step, at) => (
        <Arrow key={`${step.event.time} ${step.text}`} step={step} y={at * STEP_PX + STEP_PX / 2} />
      ))}
    </svg>
  );
}

function Arrow({ step: { event, way, fate }, y }: { step: StoryStep; y: number }) {
  const [from, to] = way === 'right' ? [LEFT, RIGHT] : [RIGHT, LEFT];
  const reach = fate === 'lost' ? LOST_AT : fate === 'unsent' ? UNSENT_AT : 1;
  const end = from + (to - from) * reach;
  const tip = way === 'right' ? -1 : 1;
  // A packet takes its time: the line slants.
  const slant = 5 * reach;
  return (
    <g class={`arrow ${TONE[event.kind] ?? 'note'} ${fate}`}>
      <path d={`M${from} ${y - slant}L${end} ${y + slant}`} />
      {reach === 1 && <path class="tip" d={`M${end} ${y + slant}l${tip * 8} -5l0 7z`} />}
      {fate === 'lost' && <path class="cross" d={`M${end - 5} ${y + slant - 5}l10 10m0 -10l-10 10`} />}
      {fate === 'unsent' && <path class="cross" d={`M${end} ${y - 8}v16`} />}
    </g>
  );
}
