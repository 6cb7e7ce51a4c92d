/** Random loss by tc-netem(8), a module that not every kernel has. The sender is told that the packet went out. */

import { type Exec, qdiscDrops } from './qdisc.ts';

export class Netem {
  readonly #exec: Exec;
  readonly #device: string;

  constructor(exec: Exec, device: string, lossPercent: number) {
    this.#exec = exec;
    this.#device = device;
    exec('tc', 'qdisc', 'replace', 'dev', device, 'root', 'netem', 'loss', `${lossPercent}%`);
  }

  /** Packets (skbs) that it has dropped so far, by the kernel's count. */
  dropped(): number {
    return qdiscDrops(this.#exec, this.#device, 'netem');
  }

  remove(): void {
    this.#exec('tc', 'qdisc', 'del', 'dev', this.#device, 'root');
  }
}
