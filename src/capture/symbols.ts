/** Names of kernel addresses, from a bounded cache over kallsyms. */

import { errnoOf, LosslogError } from '../base/errors.ts';
import { Kallsyms } from '../linux/kallsyms.ts';
import { loadedModules } from '../linux/modules.ts';

/** Distinct places that free an skb: some hundred in a kernel. */
const CACHED = 4096;
/** Reading all symbols takes some 100 ms: not more often than this, however many modules come and go. */
const REREAD_MS = 10_000;

export class Symbols {
  /** Why no symbol can be named; undefined when they can. */
  readonly unavailable: string | undefined;
  readonly #names = new Map<bigint, string | undefined>();
  #kallsyms: Kallsyms | undefined;
  /** The modules whose symbols are known. */
  #modules: string;
  #nextReadMs = 0;

  constructor() {
    this.#modules = loadedModules();
    const kallsyms = readSymbols();
    if (kallsyms instanceof LosslogError) this.unavailable = kallsyms.message;
    else this.#kallsyms = kallsyms;
  }

  addressOf(name: string): bigint | undefined {
    return this.#kallsyms?.addressOf(name);
  }

  /** `symbol+0x1a`; where kallsyms is hidden the address itself is no help to anyone, so undefined. */
  lookup(address: bigint): string | undefined {
    if (!this.#kallsyms) return undefined;
    if (this.#names.has(address)) return this.#names.get(address);
    this.#followModules();
    if (this.#names.size >= CACHED) this.#names.clear();
    const name = this.#kallsyms.lookup(address);
    this.#names.set(address, name);
    return name;
  }

  /**
   * A module that was loaded since (nftables' at the first rule, say) would else pass for the end of the one that lies before it.
   */
  #followModules(): void {
    const modules = modulesNow();
    if (modules === undefined || modules === this.#modules || performance.now() < this.#nextReadMs) return;
    this.#nextReadMs = performance.now() + REREAD_MS;
    const kallsyms = readSymbols();
    if (kallsyms instanceof LosslogError) return;
    this.#modules = modules;
    this.#names.clear();
    this.#kallsyms = kallsyms;
  }
}

/** Undefined when they cannot be read now, out of file descriptors: a record is worth more than the name of its place. */
function modulesNow(): string | undefined {
  try {
    return loadedModules();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

/** The symbols, or why they cannot be read: recording goes on without the places of drops. */
function readSymbols(): Kallsyms | LosslogError {
  try {
    return Kallsyms.read();
  } catch (error) {
    if (error instanceof LosslogError) return error;
    throw error;
  }
}
