/** The events that a trace log may hold, by what stands in their text. */

import { TextFields } from './fields.ts';
import type { TraceLine } from './line.ts';
import type { Decode, Endian, LogEvent } from './log-event.ts';
import { ownDecoder } from './own-probes.ts';
import { rawDrop, rawRetransmit } from './raw-socket.ts';
import { tracepoints } from './tracepoints.ts';

/**
 * @returns undefined for a line that is of something else
 * @throws BadField when it is one of ours and broken
 */
export function decodeLine({ name, text }: TraceLine, endian: Endian): LogEvent | undefined {
  const decode = decoderOf(name, text);
  return decode?.(new TextFields(text), endian);
}

const BLANK = 0x20;
const ROUND = 0x28;
const UNDERSCORE = 0x5f;

function decoderOf(name: string, text: string): Decode | undefined {
  const first = text.charCodeAt(0);
  if (first === ROUND || first === UNDERSCORE) {
    const place = PLACE.exec(text);
    if (place) return ownDecoder(name, text) ?? (text.includes(' port=') ? probeDecoder(place[1] ?? name) : undefined);
  }
  const tracepoint = tracepoints.get(name);
  if (tracepoint) return tracepoint;
  return MESSAGE_LETTERS.has(first) ? messageDecoder(text) : undefined;
}

/**
 * A probe's text begins with its place: `(tcp_retransmit_skb+0x0/0xc0)`, an address in trace-cmd and perf (`__probe_ip=` with
 * `report -R`), which then leaves the name of the probe to tell what it is; that of a return probe is `(… <- …)`.
 */
const PLACE = /^(?:\((?:(\w{1,128})\+0x[0-9a-f]+\/0x[0-9a-f]+|(?:0x)?[0-9a-f]{8,16})\)|__probe_ip=[0-9a-f]{8,16}) /;
const RESENDING = /^(?:__)?tcp_retransmit(?:_skb)?$/;
const DROPPING = /^(?:tcp_drop|skb_drop|drop|kfree_skb(?:_reason)?|sk_skb_reason_drop|__kfree_skb)$/;

function probeDecoder(about: string): Decode | undefined {
  if (RESENDING.test(about)) return rawRetransmit;
  return DROPPING.test(about) ? rawDrop : undefined;
}

/** A message of a BPF program or of trace_marker names the event itself. */
function messageDecoder(text: string): Decode | undefined {
  for (const [word, decode] of MESSAGES) {
    if (text.startsWith(word))
      return isWordEnd(text.charCodeAt(word.length)) && text.includes('=') ? decode : undefined;
  }
  return DROP_MESSAGE.test(text) ? rawDrop : undefined;
}

const MESSAGES: readonly (readonly [word: string, decode: Decode])[] = [
  ['tcp_retransmit_skb', rawRetransmit],
  ['tcp_retransmit', rawRetransmit],
  ['tcp_drop', rawDrop],
  ['skb_drop', rawDrop],
];
/** Of `tcp_`, `skb_`, `kfree_skb` and `drop`. */
const MESSAGE_LETTERS: ReadonlySet<number> = new Set([...'tskd'].map((letter) => letter.charCodeAt(0)));
/** These are words of other messages too. */
const DROP_MESSAGE = /^(?:drop|kfree_skb) (?=.*\bport=)/;

const WORD = /\w/;
const isWordEnd = (code: number): boolean => code === BLANK || !WORD.test(String.fromCharCode(code));
