/**
 * Names of drop reasons and reset reasons in the running kernel. The numbers move between kernels, so that no table is kept here.
 *
 * The core's reasons are `enum skb_drop_reason` (include/net/dropreason-core.h). Since Linux 6.4 the upper 16 bits name a subsystem
 * of `enum skb_drop_reason_subsys` (include/net/dropreason.h), whose reasons are an enum of its own (`enum ovs_drop_reason`), which
 * may be a module's. Reset reasons are `enum sk_rst_reason` (include/net/rstreason.h, 6.10).
 */

import { type Btf, BtfKind } from './btf.ts';

export interface DropReason {
  /** `NETFILTER_DROP`, `OVS_DROP_LAST_ACTION`; `UNKNOWN_<number>` for a number that this kernel's types do not name. */
  readonly reason: string;
  /** In lower case (`openvswitch`), absent for the core's reasons. */
  readonly subsystem?: string;
}

const CORE_PREFIX = /^SKB_(DROP_REASON_)?/;
const SUBSYSTEM_PREFIX = 'SKB_DROP_REASON_SUBSYS_';
const RESET_PREFIX = 'SK_RST_REASON_';
const SUBSYSTEM_SHIFT = 16;
const REASON_MASK = 0xffff;

export class DropReasons {
  readonly #reasons = new Map<number, DropReason>();
  readonly #resets = new Map<number, string>();
  readonly #subsystems = new Map<number, string>();
  readonly #modulesReadFor = new Set<number>();
  readonly #readModules: () => readonly Btf[];

  /**
   * @param kernel Type information of vmlinux.
   * @param readModules Called when a reason belongs to a subsystem of which nothing is known yet, at most once for each subsystem:
   * what can drop a packet is loaded, so that its types can be read by then.
   */
  constructor(kernel: Btf, readModules: () => readonly Btf[] = () => []) {
    this.#readModules = readModules;
    this.#addSubsystems(kernel);
    this.#addCore(kernel);
    this.#addSubsystemReasons(kernel);
    this.#addResets(kernel);
  }

  /** Name of `reason` of skb:kfree_skb. */
  reasonName(code: number): DropReason {
    const subsystem = code >>> SUBSYSTEM_SHIFT;
    const known = this.#reasons.get(code);
    if (known) return known;
    if (subsystem === 0) return { reason: `UNKNOWN_${code}` };
    if (!this.#modulesReadFor.has(subsystem)) {
      this.#modulesReadFor.add(subsystem);
      for (const module of this.#readModules()) this.#addSubsystemReasons(module);
    }
    return this.#reasons.get(code) ?? this.#unknown(subsystem, code & REASON_MASK);
  }

  /** Name of `reason` of tcp:tcp_send_reset, without `SK_RST_REASON_`. */
  rstReasonName(code: number): string {
    return this.#resets.get(code) ?? `UNKNOWN_${code}`;
  }

  #unknown(subsystem: number, code: number): DropReason {
    return { reason: `UNKNOWN_${code}`, subsystem: this.#subsystems.get(subsystem) ?? `UNKNOWN_${subsystem}` };
  }

  #addCore(kernel: Btf): void {
    for (const [value, name] of kernel.enumValues('skb_drop_reason')) {
      if (name === 'SKB_DROP_REASON_MAX' || name === 'SKB_DROP_REASON_SUBSYS_MASK') continue;
      this.#reasons.set(Number(value), { reason: name.replace(CORE_PREFIX, '') });
    }
  }

  #addSubsystems(kernel: Btf): void {
    for (const [value, name] of kernel.enumValues('skb_drop_reason_subsys')) {
      if (value === 0 || name === `${SUBSYSTEM_PREFIX}NUM`) continue;
      this.#subsystems.set(Number(value), name.slice(SUBSYSTEM_PREFIX.length).toLowerCase());
    }
  }

  /** Every other enum called `…_drop_reason`; a member belongs to the subsystem that its value names. */
  #addSubsystemReasons(btf: Btf): void {
    for (const id of btf.ids(BtfKind.Enum)) {
      const name = btf.nameOf(id);
      if (!name.endsWith('_drop_reason') || name === 'skb_drop_reason') continue;
      for (const [value, member] of btf.enumValues(id)) this.#addSubsystemReason(Number(value) >>> 0, member);
    }
  }

  #addSubsystemReason(code: number, name: string): void {
    const subsystem = this.#subsystems.get(code >>> SUBSYSTEM_SHIFT);
    // A leading underscore marks a value that only begins a range (`__OVS_DROP_REASON`) or a copy without type check.
    if (subsystem && !name.startsWith('_') && !this.#reasons.has(code)) {
      this.#reasons.set(code, { reason: name, subsystem });
    }
  }

  #addResets(kernel: Btf): void {
    for (const [value, name] of kernel.enumValues('sk_rst_reason')) {
      if (name !== `${RESET_PREFIX}MAX`) this.#resets.set(Number(value), name.replace(RESET_PREFIX, ''));
    }
  }
}
