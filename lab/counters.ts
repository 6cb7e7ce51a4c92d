/**
 * The kernel's own network counters of one namespace: the oracle that recorded events are held against.
 * Formats: net/ipv4/proc.c (`snmp`, `netstat`: a line of names, then a line of values), net/ipv6/proc.c (`snmp6`).
 */

/** Counters by name: `Tcp.RetransSegs`, `TcpExt.TCPTimeouts`, `Ip6.InReceives`. */
export class Counters {
  readonly values: ReadonlyMap<string, number>;

  constructor(values: ReadonlyMap<string, number>) {
    this.values = values;
  }

  /** One counter. @throws when this kernel has none of that name, so that a misspelt name does not read as zero. */
  get(name: string): number {
    const value = this.values.get(name);
    if (value === undefined) throw new Error(`this kernel has no counter ${name}`);
    return value;
  }

  /** How much each counter grew since `before` was read. */
  since(before: Counters): Counters {
    const grown = [...this.values].map(([name, value]) => [name, value - (before.values.get(name) ?? 0)] as const);
    return new Counters(new Map(grown));
  }

  /** What is not zero, for messages. */
  nonZero(): Record<string, number> {
    return Object.fromEntries([...this.values].filter(([, value]) => value !== 0));
  }
}

/** Reads the concatenated text of `/proc/net/{snmp,netstat,snmp6}`. */
export function parseCounters(text: string): Counters {
  const values = new Map<string, number>();
  let header: string[] | undefined;
  for (const line of text.split('\n')) {
    const words = line.split(/\s+/).filter(Boolean);
    if (words.length === 0) continue;
    if (!words[0]?.endsWith(':')) addSnmp6(values, words);
    else if (header?.[0] === words[0]) {
      addRow(values, header, words);
      header = undefined;
    } else header = words;
  }
  return new Counters(values);
}

function addRow(values: Map<string, number>, names: string[], row: string[]): void {
  const group = row[0]?.slice(0, -1);
  for (let i = 1; i < row.length; i++) values.set(`${group}.${names[i]}`, Number(row[i]));
}

function addSnmp6(values: Map<string, number>, [name = '', value]: string[]): void {
  const match = /^(Ip6|Icmp6|Udp6|UdpLite6)(.+)$/.exec(name);
  values.set(match ? `${match[1]}.${match[2]}` : name, Number(value));
}
