/** Connections as numbers: addresses are kept once, and a map finds a number faster than a text. */

import { formatIp } from '../base/ip.ts';

interface Pair {
  /** Numbers of the two addresses. */
  readonly src: number;
  readonly dst: number;
  /** Number of the pair the other way round; undefined until it is asked for. */
  reverse?: number;
}

/** A connection seen from one end: the addresses' number times 2^32, plus both ports; exact in a double up to 2^21 pairs. */
export type FlowKey = number;

const PORTS = 2 ** 32;

export class Flows {
  readonly #numbers = new Map<string, number>();
  readonly #pairs: Pair[] = [];
  readonly #addressNumbers = new Map<string, number>();
  readonly #addresses: string[] = [];

  /** @param addresses both in hexadecimal, source first, as a scan gives them (FLOW) */
  key(addresses: string, sport: number, dport: number): FlowKey {
    let number = this.#numbers.get(addresses);
    if (number === undefined) {
      number = this.#pairs.length;
      this.#numbers.set(addresses, number);
      const half = addresses.length / 2;
      this.#pairs.push({
        src: this.#addressNumber(addresses.slice(0, half)),
        dst: this.#addressNumber(addresses.slice(half)),
      });
    }
    return number * PORTS + sport * 65536 + dport;
  }

  /** The same connection seen from its other end. */
  reverse(key: FlowKey): FlowKey {
    const number = Math.floor(key / PORTS);
    const pair = this.#pairs[number] as Pair;
    pair.reverse ??= Math.floor(this.key(this.#hexOf(pair.dst) + this.#hexOf(pair.src), 0, 0) / PORTS);
    return pair.reverse * PORTS + dportOf(key) * 65536 + sportOf(key);
  }

  /** @param address in hexadecimal */
  endpoint(address: string, port: number): Endpoint {
    return this.#addressNumber(address) * 65536 + port;
  }

  /** The same number for both directions of a connection. */
  canonical(key: FlowKey): FlowKey {
    return Math.min(key, this.reverse(key));
  }

  /** The end that the packet comes from. */
  source(key: FlowKey): Endpoint {
    return (this.#pairs[Math.floor(key / PORTS)] as Pair).src * 65536 + sportOf(key);
  }

  /** The end that the packet goes to. */
  destination(key: FlowKey): Endpoint {
    return (this.#pairs[Math.floor(key / PORTS)] as Pair).dst * 65536 + dportOf(key);
  }

  /** Whether it stands for all addresses: `0.0.0.0`, `::`. */
  isAny(endpoint: Endpoint): boolean {
    return /^0+$/.test(this.#hexOf(Math.floor(endpoint / 65536)));
  }

  /** `10.0.0.9`, `2001:db8::1`. */
  addressText(endpoint: Endpoint): string {
    return formatIp(Buffer.from(this.#hexOf(Math.floor(endpoint / 65536)), 'hex'));
  }

  /** `10.0.0.9:443`, `[2001:db8::1]:443`; without a port where the protocol has none. */
  endpointText(endpoint: Endpoint): string {
    const address = this.addressText(endpoint);
    const port = endpoint % 65536;
    if (port === 0) return address;
    return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  }

  #addressNumber(hex: string): number {
    let number = this.#addressNumbers.get(hex);
    if (number === undefined) {
      number = this.#addresses.length;
      this.#addressNumbers.set(hex, number);
      this.#addresses.push(hex);
    }
    return number;
  }

  #hexOf(number: number): string {
    return this.#addresses[number] as string;
  }
}

/** An address's number times 65536, plus a port. */
export type Endpoint = number;

/** The address of an end, without its port. */
export const addressOf = (endpoint: Endpoint): Endpoint => endpoint - portOf(endpoint);

export const portOf = (endpoint: Endpoint): number => endpoint % 65536;

const portsOf = (key: FlowKey): number => key % PORTS;
const sportOf = (key: FlowKey): number => Math.floor(portsOf(key) / 65536);
const dportOf = (key: FlowKey): number => portsOf(key) % 65536;
