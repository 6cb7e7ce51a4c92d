/** Events as they are recorded, to whoever looks on. A client that is slow loses its own copy, counted. */

import type { ServerResponse } from 'node:http';
import { escapeJson } from '../base/escape.ts';
import { formatWall, wallFromMs } from '../base/time.ts';
import type { Filter } from '../event/filter.ts';
import { toJson } from '../event/json.ts';
import type { Event } from '../event/kinds.ts';
import { matches } from '../event/match.ts';
import { HttpError } from './http-error.ts';

/** Clients at once. */
const MAX_CLIENTS = 32;
/** How often a client is sent what came. */
const BATCH_MS = 100;
/** Events a second at most, and as many at once: a store hands over what half a second brought. */
const MAX_RATE = 10_000;
/** What a client may be behind before its batches are left out. */
const MAX_BEHIND = 1 << 20;
const HEARTBEAT_MS = 5000;
/** How soon a browser asks again when the connection broke. */
const RETRY_MS = 2000;

export interface LiveStats {
  clients: number;
  /** Events that clients were not sent. */
  lost: number;
}

export class LiveHub {
  readonly #clients = new Set<LiveClient>();
  readonly #onDemand: (isWanted: boolean) => void;
  #lost = 0;

  /** @param onDemand told when the first client comes and when the last one goes */
  constructor(onDemand: (isWanted: boolean) => void = () => undefined) {
    this.#onDemand = onDemand;
  }

  get stats(): LiveStats {
    return { clients: this.#clients.size, lost: this.#lost };
  }

  /** Hands events to the clients; costs next to nothing when there are none. */
  write(events: readonly Event[]): void {
    if (this.#clients.size === 0) return;
    const lines = new Map<Event, string>();
    const lineOf = (event: Event): string => {
      let line = lines.get(event);
      if (line === undefined) {
        line = escapeJson(toJson(event));
        lines.set(event, line);
      }
      return line;
    };
    for (const client of this.#clients) client.offer(events, lineOf);
  }

  /** Events that could not even be looked at. */
  lose(count: number): void {
    if (count > 0) for (const client of this.#clients) client.lose(count);
  }

  /** Sends the client what passes its filter, until it goes. @throws HttpError when there are too many */
  add(response: ServerResponse, filter: Filter): void {
    if (this.#clients.size >= MAX_CLIENTS) {
      throw new HttpError(503, 'LIMIT', `${MAX_CLIENTS} look on already`, 'close one of them');
    }
    const client = new LiveClient(response, filter, (count) => {
      this.#lost += count;
    });
    this.#clients.add(client);
    if (this.#clients.size === 1) this.#onDemand(true);
    response.once('close', () => {
      client.close();
      this.#clients.delete(client);
      if (this.#clients.size === 0) this.#onDemand(false);
    });
  }
}

class LiveClient {
  readonly #response: ServerResponse;
  readonly #filter: Filter;
  readonly #onLost: (count: number) => void;
  readonly #heart: NodeJS.Timeout;
  #batch: string[] = [];
  /** Events that may be sent yet, as of `#allowedAt`. */
  #allowed = MAX_RATE;
  #allowedAt = performance.now();
  #lost = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(response: ServerResponse, filter: Filter, onLost: (count: number) => void) {
    this.#response = response;
    this.#filter = filter;
    this.#onLost = onLost;
    response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' });
    response.write(`retry: ${RETRY_MS}\n\n`);
    this.#beat();
    this.#heart = setInterval(() => this.#beat(), HEARTBEAT_MS);
  }

  offer(events: readonly Event[], lineOf: (event: Event) => string): void {
    this.#refill();
    for (const event of events) {
      if (!matches(event, this.#filter)) continue;
      if (this.#allowed < 1) {
        this.#lost++;
        continue;
      }
      this.#allowed--;
      this.#batch.push(lineOf(event));
    }
    this.#arm();
  }

  lose(count: number): void {
    this.#lost += count;
    this.#arm();
  }

  close(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#heart);
  }

  #refill(): void {
    const now = performance.now();
    this.#allowed = Math.min(MAX_RATE, this.#allowed + ((now - this.#allowedAt) / 1000) * MAX_RATE);
    this.#allowedAt = now;
  }

  #arm(): void {
    if (this.#batch.length > 0 || this.#lost > 0) this.#timer ??= setTimeout(() => this.#send(), BATCH_MS);
  }

  #send(): void {
    this.#timer = undefined;
    const isBehind = this.#response.writableLength > MAX_BEHIND;
    if (isBehind) this.#lost += this.#batch.length;
    else if (this.#batch.length > 0) this.#write('events', `[${this.#batch.join(',')}]`);
    this.#batch = [];
    if (!isBehind && this.#lost > 0) this.#tellLost();
    this.#arm();
  }

  #tellLost(): void {
    this.#onLost(this.#lost);
    this.#write('lost', JSON.stringify({ count: this.#lost }));
    this.#lost = 0;
  }

  /** Tells that the connection lives, and what time it is here; nothing to a client that takes nothing anyway. */
  #beat(): void {
    if (this.#response.writableLength > MAX_BEHIND) return;
    this.#write('heartbeat', JSON.stringify({ now: formatWall(wallFromMs(Date.now())) }));
  }

  #write(event: string, data: string): void {
    this.#response.write(`event: ${event}\ndata: ${data}\n\n`);
  }
}
