/** What the columns of the list say of an event. Texts are as recorded: {@link visible} is applied where they are shown. */

import type { JsonEvent } from '../api/types.ts';
import { endpointText, plural } from '../format/text.ts';
import { durationText, parseTime } from '../format/time.ts';

export interface Words {
  readonly label: string;
  /** Name of its colour in the style sheet. */
  readonly tone: 'resent' | 'dropped' | 'reset' | 'note' | 'alarm' | 'faint';
  readonly what: string;
  readonly flow: string;
  readonly owner: string;
  readonly rest: string;
}

export function wordsOf(event: JsonEvent): Words {
  switch (event.kind) {
    case 'retransmit':
      return {
        label: 'resent',
        tone: event.failed === undefined ? 'resent' : 'alarm',
        what: event.failed === undefined ? event.cause : `${event.cause}, not sent: ${event.failed}`,
        flow: flowOf(event),
        owner: ownerOf(event),
        rest: joined([
          event.segments !== undefined && event.segments > 1 && `${event.segments} seg`,
          event.retransmits !== undefined && event.retransmits > 0 && `timeout ${event.retransmits}`,
          event.srttUs !== undefined && `srtt ${durationText(event.srttUs / 1000)}`,
          event.bytes !== undefined && `${event.bytes} B`,
          event.netnsName,
        ]),
      };
    case 'drop':
      return {
        label: 'drop',
        tone: event.class === 'benign' ? 'faint' : 'dropped',
        what: event.reason ?? 'no reason given',
        flow: joined([event.protocol !== 'tcp' && event.protocol, flowOf(event)]),
        owner: ownerOf(event),
        rest: joined([
          event.class !== 'loss' && event.class,
          event.location,
          event.tcpFlags,
          event.direction,
          event.device,
          event.length !== undefined && `${event.length} B`,
        ]),
      };
    case 'reset':
      return {
        label: 'reset',
        tone: 'reset',
        what: joined([event.direction, event.reason]),
        flow: flowOf(event, event.direction === 'received' ? '←' : '→'),
        owner: ownerOf(event),
        rest: joined([event.state, event.device]),
      };
    case 'summary':
      return {
        label: 'summary',
        tone: 'note',
        what: joined([event.of, event.reason]),
        flow: flowOf(event),
        owner: '',
        rest: joined([
          plural(event.events, 'event'),
          event.segments !== undefined && `${event.segments} seg`,
          lengthOf(event.from, event.until),
        ]),
      };
    case 'coverage':
      return {
        label: 'coverage',
        tone: event.state === 'recording' ? 'note' : 'alarm',
        what: event.state,
        flow: joined([event.count !== undefined && plural(event.count, 'event'), lengthOf(event.from, event.until)]),
        owner: '',
        rest: event.why ?? '',
      };
    case 'counter':
      return {
        label: 'counter',
        tone: event.class === 'benign' ? 'faint' : 'dropped',
        what: `${event.counter} +${event.count}`,
        flow: flowOf(event),
        owner: ownerOf(event),
        rest: joined([
          event.queue !== undefined && `accept queue ${event.queue} of ${event.backlog ?? '?'}`,
          event.device,
          event.netnsName,
          lengthOf(event.from, event.until),
        ]),
      };
    case 'connection':
      return {
        label: 'ended',
        tone: 'note',
        what: event.retransmitted === undefined ? 'connection' : `${event.retransmitted} seg resent`,
        flow: flowOf(event),
        owner: ownerOf(event),
        rest: joined([
          event.lossRatio !== undefined && `${(event.lossRatio * 100).toFixed(2)} % lost`,
          event.segments !== undefined && `of ${event.segments} seg`,
          event.durationMs !== undefined && `after ${durationText(event.durationMs)}`,
        ]),
      };
  }
}

const joined = (parts: readonly (string | false | undefined)[]): string => parts.filter(Boolean).join(' ');

interface Flow {
  src?: string;
  sport?: number;
  dst?: string;
  dport?: number;
}

function flowOf({ src, sport, dst, dport }: Flow, arrow = '→'): string {
  if (src === undefined && dst === undefined) return '';
  return `${endpointText(src, sport)} ${arrow} ${endpointText(dst, dport)}`;
}

function ownerOf({ process, pid }: { process?: string; pid?: number }): string {
  if (process === undefined && pid === undefined) return '';
  return pid === undefined ? (process as string) : `${process ?? 'pid'}/${pid}`;
}

const lengthOf = (from: string, until: string): string | false =>
  from !== until && `over ${durationText(parseTime(until) - parseTime(from))}`;
