/** One incident as a person reads it. */

import { formatDuration } from '../base/duration.ts';
import { escapeText } from '../base/escape.ts';
import { type WallNs, wallFromMs } from '../base/time.ts';
import { shortContainerId } from '../event/container-id.ts';
import { localDay, localTime } from '../event/local-time.ts';
import type { Incident } from '../explain/explain.ts';
import type { Output } from './output.ts';

const BOLD = '\x1b[1m';
const DIM = '\x1b[2m';
const RESET = '\x1b[0m';
const LABEL_WIDTH = 9;

/** Several lines, the last with its newline. */
export function incidentText(
  incident: Incident,
  number: number,
  { color, width }: Pick<Output, 'color' | 'width'>,
): string {
  const paint = (sgr: string, text: string): string => (color ? `${sgr}${text}${RESET}` : text);
  const title = incident.harmless ? `${incident.title}: harmless` : incident.title;
  const lines = [paint(BOLD, `${number}. ${wrapped(upperFirst(title), `${number}. `.length, width)}`)];
  const add = (label: string, text: string): void => {
    const indent = ' '.repeat(3 + LABEL_WIDTH);
    lines.push(`   ${paint(DIM, label.padEnd(LABEL_WIDTH))}${wrapped(text, indent.length, width)}`);
  };
  add('when', whenText(incident));
  add('', timelineText(incident));
  add('how much', amountText(incident));
  const hit = hitText(incident);
  if (hit !== '') add('hit', hit);
  for (const [i, text] of incident.restsOn.entries()) add(i === 0 ? incident.sureness : '', text);
  for (const [i, text] of incident.alternatives.entries()) add(i === 0 ? 'or else' : '', text);
  for (const [i, { text, command }] of incident.advice.entries()) {
    add(i === 0 ? 'do' : '', command === undefined ? text : `${text}:`);
    if (command !== undefined) lines.push(`${' '.repeat(5 + LABEL_WIDTH)}${escapeText(command)}`);
  }
  add('evidence', `losslog show --incident ${incident.id}`);
  return `${lines.join('\n')}\n`;
}

const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Breaks at blanks so that it fits, further lines indented. */
function wrapped(text: string, indent: number, width: number): string {
  const words = escapeText(text).split(' ');
  let line = '';
  const lines: string[] = [];
  for (const word of words) {
    if (line !== '' && indent + line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.join(`\n${' '.repeat(indent)}`);
}

function whenText({ from, until }: Incident): string {
  const today = localDay(wallFromMs(Date.now()));
  const begin = localTime(from, 0, today);
  if (until - from < 1_000_000_000n) return begin;
  return `${begin} to ${localTime(until as WallNs, 0, localDay(from))} (${formatDuration(until - from)})`;
}

const LEVELS = ' .:-=+*#%@';

/** `|..:#:. |` and how long a character is. */
function timelineText({ timeline }: Incident): string {
  const most = Math.max(...timeline.counts);
  const level = (count: number): number =>
    count === 0 ? 0 : Math.max(1, Math.round((count / most) * (LEVELS.length - 1)));
  const bars = timeline.counts.map((count) => LEVELS[level(count)]).join('');
  return `|${bars}| ${formatDuration(timeline.stepNs)} a character, ${most} events at most`;
}

function amountText({ amount, hit }: Incident): string {
  const parts = [
    count(amount.retransmissions, 'retransmission'),
    amount.segments === amount.retransmissions ? '' : count(amount.segments, 'segment'),
    count(amount.drops, 'drop'),
    count(amount.resets, 'reset'),
  ].filter(Boolean);
  if (parts.length === 0) parts.push(`${amount.counted} counted`);
  const connections = hit.connections === 0 ? '' : ` on ${count(hit.connections, 'connection')}`;
  const ratio =
    amount.lossRatio === undefined
      ? ''
      : `; ${(amount.lossRatio * 100).toFixed(2)} % of what these sent was sent again`;
  return parts.join(', ') + connections + ratio;
}

const count = (many: number, one: string): string => (many === 0 ? '' : `${many} ${many === 1 ? one : `${one}s`}`);

function hitText({ hit }: Incident): string {
  const list = (entries: Incident['hit']['peers'], name: (text: string) => string): string =>
    entries.map((entry) => `${name(entry.name)} (${entry.events})`).join(', ');
  const same = (text: string): string => text;
  return [
    list(hit.processes, same),
    list(hit.containers, (id) => `container ${shortContainerId(id)}`),
    hit.peers.length === 0 ? '' : `peers ${list(hit.peers, same)}`,
  ]
    .filter(Boolean)
    .join('; ');
}
