/**
 * A firewall rule that drops packets and counts them exactly.
 *
 * The counter counts what netfilter saw: skbs. A GSO packet that holds forty segments is one packet here, as it is one
 * drop for `skb:kfree_skb`.
 */

import { CommandFailed } from './command.ts';
import type { Exec } from './qdisc.ts';

export type Family = 4 | 6;

export interface PacketMatch {
  /** Default: `INPUT`. */
  chain?: 'INPUT' | 'OUTPUT' | 'FORWARD' | 'PREROUTING' | 'POSTROUTING';
  /** Default: `filter`, or `raw`/`mangle` for the chains which filter has not. */
  table?: 'filter' | 'raw' | 'mangle' | 'nat';
  /** Default: both families, a rule in each. */
  family?: Family;
  protocol?: 'tcp' | 'udp' | 'icmp' | 'icmpv6' | 'sctp' | 'all';
  sport?: number;
  dport?: number;
  /** More words of iptables, as in iptables-extensions(8). */
  extra?: readonly string[];
  /** Default: `DROP`. */
  target?: readonly string[];
  /** `legacy`: the old iptables and not the one over nf_tables. Do not mix both in one namespace. */
  backend?: 'legacy';
}

/** Debian's `iptables` is the nft one; a kernel without nf_tables or without nft_compat has the legacy one only. */
const TOOLS: Record<Family, readonly string[]> = {
  4: ['iptables', 'iptables-legacy', 'iptables-nft'],
  6: ['ip6tables', 'ip6tables-legacy', 'ip6tables-nft'],
};
const LEGACY: Record<Family, readonly string[]> = { 4: ['iptables-legacy'], 6: ['ip6tables-legacy'] };
/** The first tool that worked; mixing backends in one namespace would split the counters. */
const chosen: Partial<Record<Family, string>> = {};
let counter = 0;

export class DropRule {
  readonly #exec: Exec;
  readonly #match: PacketMatch;
  readonly #comment: string;
  readonly #families: readonly Family[];

  constructor(exec: Exec, match: PacketMatch) {
    counter++;
    this.#exec = exec;
    this.#match = match;
    this.#comment = `losslog-rule-${counter}`;
    this.#families = match.family ? [match.family] : [4, 6];
    for (const family of this.#families) this.#edit(family, '-A');
  }

  /** Packets (skbs) that the rule has matched so far, exactly; of one family, or of both together. */
  packets(family?: Family): number {
    return this.#sum(family, 0);
  }

  /** Bytes of those packets, IP header included. */
  bytes(family?: Family): number {
    return this.#sum(family, 1);
  }

  /** Takes the rule away; its counter is gone with it. */
  remove(): void {
    for (const family of this.#families) this.#edit(family, '-D');
  }

  #sum(family: Family | undefined, column: number): number {
    const families = family ? [family] : this.#families;
    return families.reduce((sum, each) => sum + Number(this.#row(each)[column]), 0);
  }

  #row(family: Family): string[] {
    const name = this.#match.backend ? LEGACY[family][0] : chosen[family];
    if (name === undefined) throw new Error('no rule was made yet');
    const table = this.#exec(name, '-w', '-t', tableOf(this.#match), '-nvxL', chainOf(this.#match));
    const row = table.split('\n').find((line) => line.includes(`/* ${this.#comment} */`));
    if (row === undefined) throw new Error(`rule ${this.#comment} is not there`);
    return row.trim().split(/\s+/);
  }

  #edit(family: Family, action: '-A' | '-D'): void {
    const rule = ['-w', '-t', tableOf(this.#match), action, chainOf(this.#match), ...words(this.#match, family)];
    const comment = ['-m', 'comment', '--comment', this.#comment];
    const target = ['-j', ...(this.#match.target ?? ['DROP'])];
    const use = (name: string): void => void this.#exec(name, ...rule, ...comment, ...target);
    if (this.#match.backend) LEGACY[family].forEach(use);
    else withTool(family, use);
  }
}

function words(match: PacketMatch, family: Family): string[] {
  const protocol = match.protocol === 'icmp' && family === 6 ? 'icmpv6' : match.protocol;
  return [
    ...(protocol ? ['-p', protocol] : []),
    ...(match.sport === undefined ? [] : ['--sport', String(match.sport)]),
    ...(match.dport === undefined ? [] : ['--dport', String(match.dport)]),
    ...(match.extra ?? []),
  ];
}

const chainOf = (match: PacketMatch): string => match.chain ?? 'INPUT';

function tableOf(match: PacketMatch): string {
  if (match.table) return match.table;
  if (match.chain === 'PREROUTING') return 'raw';
  return match.chain === 'POSTROUTING' ? 'mangle' : 'filter';
}

function withTool(family: Family, use: (name: string) => void): void {
  const known = chosen[family];
  const failures: string[] = [];
  for (const name of known ? [known] : TOOLS[family]) {
    try {
      use(name);
      chosen[family] = name;
      return;
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      failures.push(error.message);
    }
  }
  throw new Error(`no iptables works here: ${failures.join('; ')}`);
}
