/** Records out of the rings of the kernel side: decoded, and handed over in batches. */

import { messageOf } from '../base/errors.ts';
import type { BootNs } from '../base/time.ts';
import type { LoadedPrograms } from '../bpf/programs.ts';
import type { RingBuffer } from '../bpf/ring.ts';
import { decodeRecord } from '../wire/decode.ts';
import type { Decoded, Decoding } from '../wire/head.ts';
import { bound, dropRecord, recordHead, retransmitRecord } from '../wire/layout.ts';
import { type Bytes, readBootNs } from '../wire/reader.ts';
import type { CaptureHandlers, CaptureStats } from './capture.ts';
import { RINGS } from './kernel-objects.ts';
import { packetBytes, packetRoom, type Snaplen } from './snaplen.ts';

/** Records handed over at once at most: bounds what lies decoded in memory when a full ring is drained. */
const BATCH = 4096;
/** Of a record in a ring (kernel/bpf/ringbuf.c, struct bpf_ringbuf_hdr). */
const RECORD_HEADER = 8;

const recordsIn = (bytes: number, size: number): number => Math.floor(bytes / (RECORD_HEADER + ((size + 7) & ~7)));

export class EventRings {
  /** In the order of {@link RINGS}. */
  readonly #rings: readonly RingBuffer[];
  readonly #decoding: Decoding;
  readonly #snaplen: Snaplen;
  #handlers: CaptureHandlers | undefined;
  #batch: Decoded[] = [];

  /** @param snaplen 0 where it is not known @throws BPF */
  constructor(programs: LoadedPrograms, decoding: Decoding, snaplen: Snaplen) {
    this.#snaplen = snaplen;
    this.#rings = RINGS.map((name) => programs.map(name).ring());
    this.#decoding = decoding;
  }

  /** Whom {@link drain} hands over to from now on. */
  receive(handlers: CaptureHandlers): void {
    this.#handlers = handlers;
  }

  get fds(): number[] {
    return this.#rings.map(({ fd }) => fd);
  }

  stats(): CaptureStats['rings'] {
    return this.#rings.map((ring, i) => ({ name: RINGS[i] as string, bytes: ring.bytes, used: ring.used }));
  }

  /** Time since boot of the oldest record that was not handed over yet; undefined when there is none. */
  oldest(): BootNs | undefined {
    const stamps: BootNs[] = [];
    for (const ring of this.#rings)
      ring.peek((bytes, offset) => stamps.push(readBootNs(bytes, offset + recordHead.bootNs)));
    return stamps.reduce<BootNs | undefined>(
      (least, stamp) => (least === undefined || stamp < least ? stamp : least),
      undefined,
    );
  }

  /** How many records fit into the rings, of connections and of drops. */
  get capacity(): { connections: number; drops: number } {
    const [connections = 0, drops = 0] = this.#rings.map(({ bytes }) => bytes);
    const withPackets = packetRoom(this.#snaplen) === 0 ? 0 : drops / bound.packetShare;
    return {
      connections: recordsIn(connections, retransmitRecord.size),
      drops:
        recordsIn(withPackets, dropRecord.size + packetBytes(this.#snaplen)) +
        recordsIn(drops - withPackets, dropRecord.size),
    };
  }

  /** Whether the rings hold records that were not handed over. */
  get isUnread(): boolean {
    return this.#rings.some((ring) => ring.peek(() => {}));
  }

  /** Whether a ring holds records that were not given back. */
  get isUsed(): boolean {
    return this.#rings.some(({ used }) => used > 0);
  }

  /** Whether records that were handed over still take room. */
  get isHeld(): boolean {
    return this.#rings.some(({ isHeld }) => isHeld);
  }

  /** Records keep their room until they are given back. @returns gives back what was handed over before this call */
  checkpoint(): () => void {
    const positions = this.#rings.map(({ position }) => position);
    return () => {
      for (const [i, position] of positions.entries()) this.#rings[i]?.release(position);
    };
  }

  /** Hands over what lies in the rings now, at most so many; returns the number of records. */
  drain(atMost = Number.POSITIVE_INFINITY): number {
    if (this.#rings.some(({ isDrained }) => !isDrained)) this.#handlers?.beforeRecords?.();
    let records = 0;
    for (const [i, ring] of this.#rings.entries()) records += this.#drainRing(ring, i, atMost - records);
    return records;
  }

  /** By batches: whoever takes them may find with the first that it has no room for more. */
  #drainRing(ring: RingBuffer, index: number, atMost: number): number {
    const end = Math.min(atMost, recordsIn(ring.bytes, index === 0 ? retransmitRecord.size : dropRecord.size));
    let records = 0;
    for (let room = end; room > 0; room = Math.min(end - records, this.#handlers?.room?.() ?? end)) {
      const drained = ring.drain(this.#onRecord, Math.min(room, BATCH));
      this.#handOver();
      records += drained;
      if (drained < Math.min(room, BATCH)) break;
    }
    return records;
  }

  /** Leaves the drops where they are. @returns whether nothing of connections is left */
  drainConnections(atMost = Number.POSITIVE_INFINITY): boolean {
    const [connections] = this.#rings;
    if (!connections) return false;
    if (!connections.isDrained) this.#handlers?.beforeRecords?.();
    this.#drainRing(connections, 0, atMost);
    return connections.isDrained;
  }

  close(): void {
    for (const ring of this.#rings) ring.close();
  }

  readonly #onRecord = (bytes: Bytes, offset: number, length: number): void => {
    try {
      this.#batch.push(decodeRecord(bytes, offset, length, this.#decoding));
    } catch (error) {
      this.#handlers?.onError(messageOf(error));
    }
  };

  #handOver(): void {
    if (this.#batch.length === 0) return;
    const batch = this.#batch;
    this.#batch = [];
    this.#handlers?.onEvents(batch);
  }
}
