/** The constants that are fixed when the programs are loaded: what the kernel has, and what the user wants. */

import { jiffyNs } from '../linux/clock.ts';
import type { DropReasons } from '../linux/drop-reasons.ts';
import { needsHeaders } from '../wire/drop-class.ts';
import { bound, rodata } from '../wire/layout.ts';
import type { KernelFacts } from './kernel-facts.ts';
import { DEFAULT_LIMITS, type Limits, writeLimits } from './limits.ts';
import { HEADERS, packetRoom, type Snaplen } from './snaplen.ts';
import type { Symbols } from './symbols.ts';

const NS_PER_MS = 1e6;
const NS_PER_S = 1e9;
const REPORT_INTERVAL_MS = 60_000;

export interface ConstantOptions {
  /** Inodes of the namespaces to record; empty: all. */
  netns: readonly number[];
  /** By itself {@link DEFAULT_LIMITS}. */
  limits?: Limits;
  /** Time between two reports of a connection that lives and goes on resending. Default: {@link REPORT_INTERVAL_MS}. */
  reportIntervalMs?: number;
  /** By itself {@link HEADERS}. */
  snaplen?: Snaplen;
}

/** Writes the constants of the kernel side. */
export function configure(
  view: DataView,
  facts: KernelFacts,
  options: ConstantOptions,
  symbols: Symbols,
  reasons: DropReasons,
): void {
  const flag = (at: number, value: boolean): void => view.setUint8(at, Number(value));
  const address = (at: number, name: string): void => view.setBigUint64(at, symbols.addressOf(name) ?? 0n, true);
  view.setUint32(rodata.netnsCount, options.netns.length, true);
  for (const [i, inode] of options.netns.slice(0, bound.firstNetns).entries())
    view.setUint32(rodata.netnsFirst + i * 4, inode, true);
  flag(rodata.retransmitHasErr, facts.retransmitHasErr);
  flag(rodata.kfreeSkbHasReason, facts.dropHasReason);
  flag(rodata.kfreeSkbHasRxSk, facts.dropHasRxSk);
  flag(rodata.sendResetHasReason, facts.resetHasReason);
  flag(rodata.hasSocketCookie, facts.hasSocketCookie);
  view.setUint32(rodata.conntrackStatus, facts.conntrack?.status ?? 0, true);
  view.setUint32(rodata.conntrackOriginal, facts.conntrack?.original ?? 0, true);
  view.setUint32(rodata.conntrackReply, facts.conntrack?.reply ?? 0, true);
  address(rodata.ipForwardAddress, 'ip_forward');
  address(rodata.ip6ForwardAddress, 'ip6_forward');
  const snaplen = options.snaplen ?? HEADERS;
  view.setBigUint64(rodata.packetRoom, BigInt(packetRoom(snaplen)), true);
  flag(rodata.packetHeadersOnly, snaplen === HEADERS);
  const interval = (options.reportIntervalMs ?? REPORT_INTERVAL_MS) * NS_PER_MS;
  view.setBigUint64(rodata.livingInterval, BigInt(Math.ceil(interval / jiffyNs())), true);
  writeLimits(view, options.limits ?? DEFAULT_LIMITS, NS_PER_S / jiffyNs());
  for (let code = 0; code < bound.headerReasons; code++) {
    const reason = facts.dropHasReason ? reasons.reasonName(code).reason : undefined;
    flag(rodata.reasonNeedsHeaders + code, needsHeaders(reason));
  }
}
