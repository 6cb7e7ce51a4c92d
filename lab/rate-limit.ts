/**
 * A token bucket (tc-tbf(8)) whose queue overflows: loss by the host's own qdisc.
 *
 * Of the rate limiters, netem and red are not in every kernel; tbf, pfifo, bfifo and htb are.
 */

import { type Exec, qdiscDrops } from './qdisc.ts';

export interface RateLimitOptions {
  /** As tc writes it: `2mbit`. */
  rate: string;
  /** Default: the host's first. */
  device?: string;
  /** Bucket in bytes. Default: 10,000, room for a few full packets. */
  burstBytes?: number;
  /** Queue in bytes, beyond which packets are dropped. Default: 20,000. */
  limitBytes?: number;
}

export class RateLimit {
  readonly #exec: Exec;
  readonly #device: string;

  constructor(exec: Exec, device: string, options: RateLimitOptions) {
    this.#exec = exec;
    this.#device = device;
    const burst = ['burst', String(options.burstBytes ?? 10_000)];
    const limit = ['limit', String(options.limitBytes ?? 20_000)];
    exec('tc', 'qdisc', 'replace', 'dev', device, 'root', 'tbf', 'rate', options.rate, ...burst, ...limit);
  }

  /** Packets that the queue has dropped so far, by the kernel's count. */
  dropped(): number {
    return qdiscDrops(this.#exec, this.#device, 'tbf');
  }

  remove(): void {
    this.#exec('tc', 'qdisc', 'del', 'dev', this.#device, 'root');
  }
}
