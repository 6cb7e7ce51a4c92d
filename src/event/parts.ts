/** What a line of text says about an event of each kind, before it is laid out: see text.ts. */

import { formatDuration } from '../base/duration.ts';
import { formatIp } from '../base/ip.ts';
import { formatSocketAddress } from '../base/socket-address.ts';
import { NS_PER_MS, NS_PER_US } from '../base/time.ts';
import { shortContainerId } from './container-id.ts';
import type {
  ConnectionEvent,
  CounterEvent,
  CoverageEvent,
  DropEvent,
  Event,
  OwnedEvent,
  PacketEvent,
  ResetEvent,
  RetransmitEvent,
  SummaryEvent,
} from './kinds.ts';

/** What a part means; text.ts gives each a colour. */
export type Style = 'plain' | 'dim' | 'owner' | 'retransmit' | 'drop' | 'reset' | 'note' | 'alarm';

export interface Part {
  readonly text: string;
  readonly style: Style;
}

/** The parts of a line by the column that they stand in. Texts are as recorded: not yet escaped. */
export interface LineParts {
  /** The kind, in capitals. */
  label: Part;
  /** Cause or reason; several are joined by a blank. */
  what: Part[];
  /** Who talks to whom. */
  flow: string;
  /** Always shown, after the flow. */
  rest: Part[];
  /** Shown as far as the line has room, the most telling first. */
  extras: Part[];
  /** The whole line is of little weight. */
  faint: boolean;
}

/** A stretch of time as text; text.ts knows which day may be left out. */
export type SpanText = (from: bigint, until: bigint) => string | undefined;

export function partsOf(event: Event, span: SpanText): LineParts {
  switch (event.kind) {
    case 'retransmit':
      return retransmitParts(event);
    case 'drop':
      return dropParts(event);
    case 'reset':
      return resetParts(event);
    case 'summary':
      return summaryParts(event);
    case 'coverage':
      return coverageParts(event, span);
    case 'connection':
      return connectionParts(event);
    case 'counter':
      return counterParts(event, span);
  }
}

function retransmitParts(event: RetransmitEvent): LineParts {
  const what: Part[] = [{ text: event.cause, style: 'retransmit' }];
  if (event.segments !== undefined && event.segments > 1)
    what.push({ text: `${event.segments} seg`, style: 'retransmit' });
  if (event.failed !== undefined) what.push({ text: `NOT SENT: ${event.failed}`, style: 'alarm' });
  const extras = present([
    containerPart(event),
    tagged('timeouts ', event.retransmits === 0 ? undefined : event.retransmits),
    tagged('', goesWithoutSaying(event) ? undefined : event.state),
    lasting('srtt ', event.srttUs, NS_PER_US),
    lasting('rto ', event.rtoMs, NS_PER_MS),
    tagged('cwnd ', event.cwnd),
    tagged('total ', event.totalRetransmits),
    tagged('netns ', event.netnsName),
    tagged('', event.bytes, ' B'),
    tagged('seq ', event.seq),
  ]);
  return {
    label: { text: 'RETRANS', style: 'retransmit' },
    what,
    flow: flowText(event),
    rest: ownerParts(event),
    extras,
    faint: false,
  };
}

/** Where the cause is known, most connections are established. */
const goesWithoutSaying = ({ state, cause }: RetransmitEvent): boolean =>
  state === 'TCP_ESTABLISHED' && cause !== 'unknown';

function dropParts(event: DropEvent): LineParts {
  const flow = [event.protocol, flowText(event)].filter((text) => text).join(' ');
  const location = tagged('', event.location);
  const saysNothing = event.reason === undefined || event.reason === 'NOT_SPECIFIED';
  const extras = present([
    event.class === 'loss' ? undefined : some(event.class, (text) => (text === 'unknown' ? 'class unknown' : text)),
    saysNothing ? location : undefined,
    tagged('', event.tcpFlags),
    tagged('', event.direction),
    tagged('', event.device),
    saysNothing ? undefined : location,
    containerPart(event),
    tagged('', event.subsystem),
    tagged('netns ', event.netnsName),
    tagged('nat ', event.nat),
    tagged('', event.length, ' B'),
  ]);
  return {
    label: { text: 'DROP', style: 'drop' },
    what: [{ text: event.reason ?? '-', style: 'drop' }],
    flow,
    rest: ownerParts(event),
    extras,
    faint: event.class === 'benign',
  };
}

function resetParts(event: ResetEvent): LineParts {
  const what: Part[] = [{ text: event.direction, style: 'reset' }];
  if (event.reason !== undefined) what.push({ text: event.reason, style: 'reset' });
  const extras = present([
    containerPart(event),
    tagged('', event.state),
    tagged('', event.device),
    tagged('netns ', event.netnsName),
  ]);
  const arrow = event.direction === 'received' ? '<' : '>';
  return {
    label: { text: 'RESET', style: 'reset' },
    what,
    flow: flowText(event, arrow),
    rest: ownerParts(event),
    extras,
    faint: false,
  };
}

const PLURALS: Record<SummaryEvent['of'], string> = { retransmit: 'retransmissions', drop: 'drops', reset: 'resets' };
const LACKS: Record<NonNullable<SummaryEvent['lacks']>, string> = {
  connection: 'of several connections',
  key: 'of which only the number is known',
};

/** `152062 drops NETFILTER_DROP in 996ms`: events that were counted and not recorded one by one. */
function summaryParts(event: SummaryEvent): LineParts {
  const { of: style } = event;
  const count = event.events === 1 ? PLURALS[style].slice(0, -1) : PLURALS[style];
  const words = [style === 'reset' ? event.direction : undefined, event.cause ?? event.reason];
  const what: Part[] = [{ text: [`${event.events} ${count}`, ...words].filter(Boolean).join(' '), style }];
  if (event.failed !== undefined) what.push({ text: `NOT SENT: ${event.failed}`, style: 'alarm' });
  const length = event.until - event.from;
  const rest = [
    ...ownerParts(event),
    ...present([some(length > 0n ? length : undefined, (ns) => `in ${formatDuration(ns)}`)]),
  ];
  const extras = present([
    some(event.lacks, (lacks) => LACKS[lacks]),
    some(event.class === 'loss' ? undefined : event.class, (text) => (text === 'unknown' ? 'class unknown' : text)),
    tagged('', style === 'retransmit' ? event.segments : undefined, ' seg'),
    containerPart(event),
    tagged('', event.location),
    tagged('', event.protocol),
    tagged('', style === 'drop' ? event.direction : undefined),
    tagged('', event.state),
    tagged('', event.subsystem),
    tagged('netns ', event.netnsName),
    tagged('', event.bytes, ' B'),
  ]);
  return {
    label: { text: 'SUMMARY', style: 'note' },
    what,
    flow: flowText(event),
    rest,
    extras,
    faint: event.class === 'benign',
  };
}

function coverageParts(event: CoverageEvent, span: SpanText): LineParts {
  const recording = event.state === 'recording';
  const rest = present([
    some(reconciledText(event) ?? tagged('', event.count, ' events')?.text, (text) => text),
    tagged('', span(event.from, event.until)),
    tagged('', event.why),
  ]);
  return {
    label: { text: 'COVERAGE', style: recording ? 'note' : 'alarm' },
    what: [{ text: event.state, style: recording ? 'note' : 'alarm' }],
    flow: '',
    rest,
    extras: [],
    faint: recording,
  };
}

/** `recorded 97 of 100 TcpRetransSegs in netns blue`; undefined when it is no comparison. */
export function reconciledText(event: CoverageEvent): string | undefined {
  const { counter, recorded, kernel, netns, netnsName } = event;
  if (counter === undefined || recorded === undefined || kernel === undefined) return undefined;
  const where = netnsName ?? netns;
  return `recorded ${recorded} of ${kernel} ${counter}${where === undefined ? '' : ` in netns ${where}`}`;
}

function counterParts(event: CounterEvent, span: SpanText): LineParts {
  const { src, sport, queue, backlog, synQueue } = event;
  const extras = present([
    containerPart(event),
    some(queue, (length) => `accept queue ${length}${backlog === undefined ? '' : ` of ${backlog}`}`),
    tagged('SYN queue ', synQueue === 0 ? undefined : synQueue),
    tagged('', event.device),
    tagged('netns ', event.netnsName ?? event.netns),
    tagged('', span(event.from, event.until)),
  ]);
  return {
    label: { text: 'COUNTER', style: event.class === 'benign' ? 'note' : 'drop' },
    what: [
      { text: event.counter, style: event.class === 'benign' ? 'note' : 'drop' },
      { text: `+${event.count}`, style: 'plain' },
    ],
    flow: src === undefined ? '' : `> ${endpointText(src, sport)}`,
    rest: ownerParts(event),
    extras,
    faint: event.class === 'benign',
  };
}

const CLOSED_BY_TEXTS = { local: 'closed here', peer: 'closed by the peer', timeout: 'timed out' } as const;

function connectionParts(event: ConnectionEvent): LineParts {
  const lost = event.retransmitted === undefined ? 'ended' : `${event.retransmitted} seg resent`;
  const rest = ownerParts(event);
  const extras = present([
    some(event.lossRatio, (ratio) => `${(ratio * 100).toFixed(2)} %`),
    tagged('of ', event.segments, ' seg'),
    lasting('after ', event.durationMs, NS_PER_MS),
    some(event.phase === 'living' ? event.phase : undefined, () => 'still open'),
    some(event.closedBy, (who) => CLOSED_BY_TEXTS[who]),
    tagged('', event.error),
    tagged('timeouts ', event.timeouts === 0 ? undefined : event.timeouts),
    tagged('', event.spurious === 0 ? undefined : event.spurious, ' spurious'),
    tagged('reordered ', event.reordered === 0 ? undefined : event.reordered),
    lasting('min rtt ', event.minRttUs, NS_PER_US),
    lasting('srtt ', event.srttUs, NS_PER_US),
    tagged('', event.bytes, ' B'),
    containerPart(event),
    tagged('netns ', event.netnsName),
  ]);
  return {
    label: { text: 'CONNECT', style: 'note' },
    what: [{ text: lost, style: 'retransmit' }],
    flow: flowText(event),
    rest,
    extras,
    faint: false,
  };
}

type Endpoints = Pick<PacketEvent, 'src' | 'sport' | 'dst' | 'dport'>;

/** `10.0.0.2:45678 > 10.0.0.9:443`, `[2001:db8::1]:443 > …`; empty when neither end is known. */
function flowText(event: Endpoints, arrow: '>' | '<' = '>'): string {
  if (!event.src && !event.dst) return '';
  return `${endpointText(event.src, event.sport)} ${arrow} ${endpointText(event.dst, event.dport)}`;
}

function endpointText(address: Uint8Array | undefined, port: number | undefined): string {
  if (address === undefined) return port === undefined ? '?' : `?:${port}`;
  return port === undefined ? formatIp(address) : formatSocketAddress({ address, port });
}

function ownerParts(event: OwnedEvent): Part[] {
  const { process, pid } = event;
  if (process === undefined && pid === undefined) return [];
  const text = pid === undefined ? process : `${process ?? 'pid'}/${pid}`;
  return [{ text: text as string, style: 'owner' }];
}

function containerPart({ container }: OwnedEvent): Part | undefined {
  return container === undefined ? undefined : { text: `@${shortContainerId(container)}`, style: 'owner' };
}

/** By no function that makes the text, as {@link some} takes: a log has a million lines of a dozen such parts, most of them absent. */
function tagged(before: string, value: string | number | bigint | undefined, after = ''): Part | undefined {
  return value === undefined ? undefined : { text: before + value + after, style: 'plain' };
}

/** @param unit ns in one of what `value` counts */
function lasting(before: string, value: number | undefined, unit: bigint): Part | undefined {
  return value === undefined ? undefined : tagged(before, formatDuration(BigInt(value) * unit));
}

function some<T>(value: T | undefined, text: (value: T) => string): Part | undefined {
  return value === undefined ? undefined : { text: text(value), style: 'plain' };
}

/** What is there of the parts, in the same array: a line has a dozen, and a log a million lines. */
function present(parts: (Part | undefined)[]): Part[] {
  let count = 0;
  for (const part of parts) if (part !== undefined) parts[count++] = part;
  parts.length = count;
  return parts as Part[];
}
