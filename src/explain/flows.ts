/** Connections as numbers: addresses are kept once, and a map finds a number faster than a text. */

import { formatIp } from '../base/ip.ts';
import { Lru } from '../base/lru.ts';
import { parseSocketAddress, type SocketAddress } from '../base/socket-address.ts';

interface Pair {
  /** Numbers of the two addresses. */
  readonly src: number;
  readonly dst: number;
  /** Number of the pair the other way round; undefined until it is asked for. */
  reverse?: number;
}

/** A connection seen from one end: the addresses' number times 2^32, plus both ports; exact in a double up to 2^21 pairs. */
export type FlowKey = number;

/** A connection whose addresses are translated: as the end that opened it addresses it, and as the other end knows it. */
export interface Translation {
  readonly opened: FlowKey;
  readonly translated: FlowKey;
}

const PORTS = 2 ** 32;
/** Translations whose text is remembered: drops of one connection share it. */
const MAX_TRANSLATIONS = 10_000;

export class Flows {
  readonly #numbers = new Map<string, number>();
  readonly #pairs: Pair[] = [];
  readonly #addressNumbers = new Map<string, number>();
  readonly #addresses: string[] = [];
  readonly #translations = new Lru<string, Translation>(MAX_TRANSLATIONS);

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
    return number * PORTS + possible(sport) * 65536 + possible(dport);
  }

  /**
   * @param text the field `nat` of a drop (src/event/kinds.ts)
   * @returns undefined when it is none
   */
  translation(text: string): Translation | undefined {
    const known = this.#translations.get(text);
    if (known) return known;
    const [opened, translated] = text.split(' ').map((flow) => this.#parse(flow));
    if (opened === undefined || translated === undefined) return undefined;
    const translation = { opened, translated };
    this.#translations.set(text, translation);
    return translation;
  }

  /** The direction of a connection that a packet is of, which may have one end translated already and the other not yet. */
  asOpened(flow: FlowKey, { opened, translated }: Translation): FlowKey {
    const source = this.source(flow);
    const isOfOpener = source === this.source(opened) || source === this.source(translated);
    return isOfOpener ? opened : this.reverse(opened);
  }

  #parse(text: string): FlowKey | undefined {
    const [source, destination] = text.split('>');
    if (source === undefined || destination === undefined) return undefined;
    try {
      return this.between(parseSocketAddress(source), parseSocketAddress(destination));
    } catch {
      return undefined;
    }
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
    return this.#addressNumber(address) * 65536 + possible(port);
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

  socketAddress(endpoint: Endpoint): SocketAddress {
    return { address: Buffer.from(this.#hexOf(Math.floor(endpoint / 65536)), 'hex'), port: portOf(endpoint) };
  }

  /** The connection that a packet from `a` to `b` is of. */
  between(a: SocketAddress, b: SocketAddress): FlowKey {
    // as hex() of SQLite writes them
    const addresses = Buffer.concat([a.address, b.address]).toString('hex').toUpperCase();
    return this.key(addresses, a.port, b.port);
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

/** A store that something else wrote may hold any number; 0 stands for none. */
const possible = (port: number): number => (port >= 0 && port < 65536 ? port : 0);

const portsOf = (key: FlowKey): number => key % PORTS;
const sportOf = (key: FlowKey): number => Math.floor(portsOf(key) / 65536);
const dportOf = (key: FlowKey): number => portsOf(key) % 65536;
