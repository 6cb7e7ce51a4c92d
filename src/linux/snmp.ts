/** The kernel's own counters of a network namespace: snmp and netstat (net/ipv4/proc.c), snmp6 (net/ipv6/proc.c). */

import { join } from 'node:path';
import { errnoOf } from '../base/errors.ts';
import type { ProcText } from './proc-text.ts';

/** Chosen counters by name, in the order in which they were chosen; NaN: this kernel has none of that name. Exact up to 2^53. */
export type CounterValues = Float64Array;

/** A line of names that was met, and where in a line of values the chosen ones stand. */
interface Header {
  readonly line: string;
  /** Place among the words of the line of values, and place in the result. */
  readonly columns: readonly (readonly [word: number, index: number])[];
}

/**
 * Reads some counters of many namespaces: where they stand is found out once, since every namespace of a kernel has the same lines of
 * names.
 */
export class CounterTable {
  readonly #names: readonly string[];
  readonly #indexes: ReadonlyMap<string, number>;
  readonly #headers: Header[] = [];
  readonly #hasSnmp6: boolean;

  /** @param names group and name with a dot between: `Tcp.RetransSegs`, `TcpExt.TCPTimeouts`, `Udp6.RcvbufErrors` */
  constructor(names: readonly string[]) {
    this.#names = names;
    this.#indexes = new Map(names.map((name, index) => [name, index]));
    this.#hasSnmp6 = names.some((name) => SNMP6_GROUP.test(name));
  }

  /**
   * @param directory `/proc/PID/net`
   * @throws errors of the file system: ENOENT, ESRCH or EINVAL when the process is gone
   */
  read(directory: string, text: ProcText): CounterValues {
    const values = new Float64Array(this.#names.length).fill(Number.NaN);
    this.addPairs(text.read(join(directory, 'snmp')), values);
    this.addPairs(text.read(join(directory, 'netstat')), values);
    if (this.#hasSnmp6) this.#addSnmp6(directory, text, values);
    return values;
  }

  /** Reads pairs of lines: `Tcp: RtoAlgorithm RtoMin …`, then `Tcp: 1 200 …`. */
  addPairs(text: string, values: CounterValues): void {
    for (let at = 0; at < text.length; ) {
      const end = text.indexOf('\n', at);
      if (end < 0) return;
      const header = this.#headerAt(text, at, end);
      const valuesEnd = text.indexOf('\n', end + 1);
      const next = valuesEnd < 0 ? text.length : valuesEnd;
      if (header.columns.length > 0) pick(text.slice(end + 1, next), header, values);
      at = next + 1;
    }
  }

  #headerAt(text: string, at: number, end: number): Header {
    const known = this.#headers.find(({ line }) => line.length === end - at && text.startsWith(line, at));
    if (known) return known;
    const line = text.slice(at, end);
    const [group = '', ...names] = line.split(' ');
    const columns = names.flatMap((name, i): (readonly [number, number])[] => {
      const index = this.#indexes.get(`${group.replace(':', '')}.${name}`);
      return index === undefined ? [] : [[i + 1, index]];
    });
    const header = { line, columns };
    // The kernel has some twelve such lines; icmpmsg makes new ones as types of messages come up.
    if (this.#headers.length < MAX_HEADERS) this.#headers.push(header);
    return header;
  }

  /** Lines like `Udp6RcvbufErrors   3`. Without IPv6 there is no such file. */
  #addSnmp6(directory: string, text: ProcText, values: CounterValues): void {
    for (const line of readIfThere(join(directory, 'snmp6'), text).split('\n')) {
      const [word = '', value] = line.split(/\s+/);
      const group = SNMP6_GROUP.exec(word)?.[1];
      const index = group === undefined ? undefined : this.#indexes.get(`${group}.${word.slice(group.length)}`);
      if (index !== undefined) values[index] = Number(value);
    }
  }
}

const MAX_HEADERS = 64;
const SNMP6_GROUP = /^(Ip6|Icmp6|Udp6|UdpLite6)/;

function pick(line: string, { columns }: Header, values: CounterValues): void {
  const words = line.split(' ');
  for (const [word, index] of columns) {
    const value = words[word];
    if (value !== undefined) values[index] = Number(value);
  }
}

function readIfThere(path: string, text: ProcText): string {
  try {
    return text.read(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return '';
    throw error;
  }
}
