/**
 * The consumer side of a BPF ring buffer (kernel/bpf/ringbuf.c), walked in place.
 *
 *     fd offset 0      consumer position   8 bytes in a page of its own, ours to write
 *     page             producer position   8 bytes in a page of its own
 *     2 pages          data                the kernel maps it twice in a row, so that no record is ever cut
 *
 * Only the first of the two is mapped here: both would count in the resident memory of this process. The one record that
 * crosses the end is put together in a buffer.
 *
 * A record is an 8-byte header and its bytes, rounded up to 8. Bit 31 of the header's first word: still being written;
 * bit 30: discarded; the rest: the length.
 */

import { Mapping, pageSize } from './memory.ts';

const BUSY_BIT = 1 << 31;
const DISCARD_BIT = 1 << 30;
const LENGTH_MASK = 0x3fff_ffff;
const HEADER_SIZE = 8;

/** Where a reader of the ring stands: bytes since it was made. */
export type RingPosition = bigint;

/** Called for each record. The bytes are the ring's own: copy what must outlive the call. */
export type RecordHandler = (bytes: Buffer, offset: number, length: number) => void;

export class RingBuffer {
  readonly fd: number;
  readonly #size: number;
  readonly #mask: number;
  #consumer: Mapping;
  #producer: Mapping;
  #consumerPosition: BigUint64Array;
  #producerPosition: Int32Array;
  #headers: Int32Array;
  #data: Buffer;
  #position: RingPosition;
  #closed = false;

  /** @param size bytes of the ring, a power of two (the map's max_entries). */
  constructor(fd: number, size: number) {
    const page = pageSize();
    this.fd = fd;
    this.#size = size;
    this.#mask = size - 1;
    this.#consumer = new Mapping(fd, page, 0, true);
    this.#producer = new Mapping(fd, page + size, page, false);
    this.#consumerPosition = new BigUint64Array(this.#consumer.bytes, 0, 1);
    this.#position = Atomics.load(this.#consumerPosition, 0);
    this.#producerPosition = new Int32Array(this.#producer.bytes, 0, 1);
    this.#headers = new Int32Array(this.#producer.bytes, page, size / 4);
    this.#data = Buffer.from(this.#producer.bytes, page, size);
  }

  /**
   * Hands over what is complete and was there when the call began, so that it ends even while the kernel goes on writing.
   * Returns the number of records. They keep their room until {@link release}.
   *
   * @param atMost records. Positions are compared in their low 32 bits: a ring is far smaller than 2^31 bytes.
   */
  drain(handle: RecordHandler, atMost = Number.POSITIVE_INFINITY): number {
    if (this.#closed) return 0;
    const start = this.#position;
    const end = Atomics.load(this.#producerPosition, 0);
    let position = Number(BigInt.asIntN(32, start));
    const first = position;
    let records = 0;
    while (position !== end && records < atMost) {
      const at = position & this.#mask;
      const header = Atomics.load(this.#headers, at >>> 2);
      if (header & BUSY_BIT) break;
      const length = header & LENGTH_MASK;
      if (!(header & DISCARD_BIT)) {
        this.#hand(handle, (at + HEADER_SIZE) & this.#mask, length);
        records++;
      }
      position = (position + ((length + HEADER_SIZE + 7) & ~7)) | 0;
    }
    this.#position = start + BigInt((position - first) >>> 0);
    return records;
  }

  /** Shows the oldest record that was not handed over yet. @returns false when there is none, or none that is complete */
  peek(handle: RecordHandler): boolean {
    const at = Number(BigInt.asIntN(32, this.#position)) & this.#mask;
    if (this.#closed || Number(BigInt.asIntN(32, this.#position)) === Atomics.load(this.#producerPosition, 0))
      return false;
    const header = Atomics.load(this.#headers, at >>> 2);
    if (header & BUSY_BIT) return false;
    this.#hand(handle, (at + HEADER_SIZE) & this.#mask, header & LENGTH_MASK);
    return true;
  }

  /** Up to where records were handed over. */
  get position(): RingPosition {
    return this.#position;
  }

  get bytes(): number {
    return this.#size;
  }

  /** Bytes of records that are not released yet. */
  get used(): number {
    if (this.#closed) return 0;
    const consumed = Number(BigInt.asIntN(32, Atomics.load(this.#consumerPosition, 0)));
    return (Atomics.load(this.#producerPosition, 0) - consumed) >>> 0;
  }

  /** Whether everything was handed over that is in the ring. */
  get isDrained(): boolean {
    const position = Number(BigInt.asIntN(32, this.#position));
    return this.#closed || position === Atomics.load(this.#producerPosition, 0);
  }

  /** Whether records that were handed over still take room. While they do, the kernel wakes nobody, and a poll finds data. */
  get isHeld(): boolean {
    return !this.#closed && Atomics.load(this.#consumerPosition, 0) !== this.#position;
  }

  /** Gives the room before a position back to the kernel: whoever opens the ring after this process begins there. */
  release(position: RingPosition): void {
    // Sequentially consistent, before anything is read again: the kernel decides by it whether to wake us.
    if (!this.#closed) Atomics.store(this.#consumerPosition, 0, position);
  }

  #hand(handle: RecordHandler, at: number, length: number): void {
    const untilEnd = this.#size - at;
    if (length <= untilEnd) {
      handle(this.#data, at, length);
      return;
    }
    const whole = Buffer.concat([this.#data.subarray(at), this.#data.subarray(0, length - untilEnd)]);
    handle(whole, 0, length);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#consumerPosition = new BigUint64Array(0);
    this.#producerPosition = new Int32Array(0);
    this.#headers = new Int32Array(0);
    this.#data = Buffer.alloc(0);
    this.#consumer.close();
    this.#producer.close();
  }
}
