/** What connections sent in all: loss is not judged without it. */

import type { Sent } from './facts.ts';
import type { FlowKey, Flows } from './flows.ts';

/** Connections remembered at most, the first ones of a period. */
const MAX_CONNECTIONS = 50_000;

export interface Share {
  segments: number;
  retransmitted: number;
  spurious: number;
  reordered: number;
}

export class Denominator {
  readonly #flows: Flows;
  /** The latest report of each connection and direction. */
  readonly #sent = new Map<FlowKey, Sent>();

  constructor(flows: Flows) {
    this.#flows = flows;
  }

  add(sent: Sent): void {
    if (sent.flow === undefined) return;
    if (this.#sent.has(sent.flow) || this.#sent.size < MAX_CONNECTIONS) this.#sent.set(sent.flow, sent);
  }

  /** What those of the connections sent that were reported. */
  of(connections: Iterable<FlowKey>): Share {
    const share: Share = { segments: 0, retransmitted: 0, spurious: 0, reordered: 0 };
    if (this.#sent.size === 0) return share;
    for (const flow of connections) {
      for (const way of [flow, this.#flows.reverse(flow)]) {
        const sent = this.#sent.get(way);
        share.segments += sent?.segments ?? 0;
        share.retransmitted += sent?.retransmitted ?? 0;
        share.spurious += sent?.spurious ?? 0;
        share.reordered += sent?.reordered ?? 0;
      }
    }
    return share;
  }
}
