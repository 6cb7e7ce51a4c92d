/** What the running kernel says of itself. */

import { DropReasons } from '../linux/drop-reasons.ts';
import { readKernelBtf, readModuleBtfs } from '../linux/kernel-btf.ts';
import { type KernelFacts, kernelFacts } from './kernel-facts.ts';
import { Symbols } from './symbols.ts';

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

  /** What is not seen on this kernel, a sentence each. */
  get blindSpots(): string[] {
    const lacking = this.facts.missing.map(
      ({ tracepoint, without }) => `this kernel has no tracepoint ${tracepoint}: ${without}`,
    );
    const { unavailable } = this.symbols;
    return unavailable === undefined ? lacking : [...lacking, `${unavailable}: no place of a drop is named`];
  }
}
