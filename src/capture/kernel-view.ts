/** What the running kernel says of itself. */

import { jiffyNs } from '../linux/clock.ts';
import { DropReasons } from '../linux/drop-reasons.ts';
import { readKernelBtf, readModuleBtfs } from '../linux/kernel-btf.ts';
import type { Decoding } from '../wire/head.ts';
import { type KernelFacts, kernelFacts } from './kernel-facts.ts';
import { Symbols } from './symbols.ts';

const NS_PER_MS = 1e6;

export class KernelView {
  readonly symbols = new Symbols();
  readonly facts: KernelFacts;
  readonly reasons: DropReasons;

  /** @throws NOT_SUPPORTED without BTF */
  constructor() {
    const btf = readKernelBtf();
    this.facts = kernelFacts(btf, () => readModuleBtfs(btf));
    this.reasons = new DropReasons(btf, () => readModuleBtfs(readKernelBtf()));
  }

  /** What decoding needs of this kernel. */
  decoding(toWall: Decoding['toWall']): Decoding {
    return {
      toWall,
      dropReason: (code) => this.reasons.reasonName(code),
      resetReason: (code) => this.reasons.rstReasonName(code),
      symbol: (address) => this.symbols.lookup(address),
      jiffyMs: jiffyNs() / NS_PER_MS,
    };
  }

  /** What is not seen on this kernel, a sentence each. */
  get blindSpots(): string[] {
    const lacking = this.facts.missing.map(
      ({ tracepoint, without }) => `this kernel has no tracepoint ${tracepoint}: ${without}`,
    );
    const { unavailable } = this.symbols;
    return unavailable === undefined ? lacking : [...lacking, `${unavailable}: no place of a drop is named`];
  }
}
