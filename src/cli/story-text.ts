/** The story of a connection as a sequence diagram in text. */

import { formatDuration } from '../base/duration.ts';
import { escapeText, padTo } from '../base/escape.ts';
import type { WallNs } from '../base/time.ts';
import { localClock, localDay } from '../event/local-time.ts';
import type { Story, StoryStep } from '../explain/explain.ts';

/** Columns between the two ends. */
const ARROW_WIDTH = 24;
const CLOCK_WIDTH = '20:15:07.123456'.length;
const PAUSE_WIDTH = 9;

/** Lines, the last with its newline. */
export function storyText({ a, b, steps, summary }: Story): string {
  const margin = ' '.repeat(CLOCK_WIDTH + PAUSE_WIDTH);
  const head = `${margin}${padTo(a, ARROW_WIDTH + 2)}${b}`;
  let day: string | undefined;
  const lines = steps.flatMap((step, i) => {
    const time = step.event.time as WallNs;
    const title = localDay(time) === day ? [] : [localDay(time)];
    day = localDay(time);
    return [...title, ...stepLines(step, steps[i - 1])];
  });
  const end = summary.map((sentence) => escapeText(sentence));
  return `${[head, ...lines, '', ...end].join('\n')}\n`;
}

function stepLines(step: StoryStep, before: StoryStep | undefined): string[] {
  const time = step.event.time as WallNs;
  const pause = before === undefined ? '' : `+${formatDuration(time - (before.event.time as bigint))}`;
  const margin = `${localClock(time, 6)} ${pause.padStart(PAUSE_WIDTH - 2)} `;
  const told = [`${margin}|${arrow(step)}|  ${escapeText(step.text)}`];
  if (step.verdict !== undefined) {
    told.push(`${' '.repeat(margin.length)}|${' '.repeat(ARROW_WIDTH)}|    why: ${escapeText(step.verdict)}`);
  }
  return told;
}

/** `----------------------->`, `-----------X            `, `<=======================`; `=` is data sent again. */
function arrow({ way, fate, event }: StoryStep): string {
  const stroke = event.kind === 'retransmit' ? '=' : event.kind === 'reset' ? '~' : '-';
  const isCut = event.kind === 'drop' || fate === 'unsent';
  const end = fate === 'unsent' ? '!' : event.kind === 'drop' ? 'X' : '>';
  const length = isCut ? ARROW_WIDTH >> 1 : ARROW_WIDTH;
  const right = (stroke.repeat(length - 1) + end).padEnd(ARROW_WIDTH);
  return way === 'right' ? right : [...right].reverse().join('').replace('>', '<');
}
