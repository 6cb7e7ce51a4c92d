/** Events as a trace log tells them: without a time, which is the line's. */

import type { DropEvent, PacketEvent, ResetEvent, RetransmitEvent } from '../../event/kinds.ts';
import { classOf } from '../../wire/drop-class.ts';
import type { TextFields } from './fields.ts';
import { setLocation, setReason } from './values.ts';

/** Byte order of the machine that wrote the log: raw values of a socket are printed as if they were of its own order. */
export type Endian = 'little' | 'big';

export type Untimed<E extends PacketEvent> = Omit<E, 'time'>;
/** What a line tells but for its time. */
export type LogEvent = Untimed<RetransmitEvent> | Untimed<DropEvent> | Untimed<ResetEvent>;

/**
 * An event whose fields are still to be set: in the order of its table, required ones too. One that is made in that order is
 * written as JSON in half the time (src/event/json.ts).
 */
export const begun = <E extends PacketEvent>(kind: E['kind']): Untimed<E> => ({ kind }) as Untimed<E>;

/** @returns undefined for what is no event after all @throws BadField */
export type Decode = (fields: TextFields, endian: Endian) => LogEvent | undefined;

/** More than that a trace log does not tell: the fields of congestion control are not in it. */
export const causeOf = (state: string | undefined): RetransmitEvent['cause'] =>
  state === 'TCP_SYN_SENT' ? 'syn' : 'unknown';

/** A number instead of a name: of a reason that the writer of the log could not name. */
const NUMBER = /^(?:0x[0-9a-f]+|\d+)$/;

/**
 * Completes a drop whose flow is known.
 * @param protocol where it is known
 * @param onNetwork whether the packet had a protocol, as on its way through the network
 */
export function setDropFacts(
  event: Untimed<DropEvent>,
  fields: TextFields,
  protocol: string | undefined,
  onNetwork: boolean,
): void {
  setReason(event, fields);
  setLocation(event, fields);
  const { reason, location, dst } = event;
  event.class =
    reason !== undefined && NUMBER.test(reason)
      ? 'unknown'
      : classOf({ reason, location, dst, protocol, tcp: undefined, onNetwork });
  if (protocol !== undefined) event.protocol = protocol;
}
