/** A rule of nft(8) that drops packets and counts them exactly. */

type Exec = (...command: string[]) => string;

export interface NftMatch {
  /** `inet` has IPv4 and IPv6; `bridge` sees what a bridge forwards. Default: `inet`. */
  table?: 'inet' | 'bridge' | 'netdev';
  hook: 'input' | 'output' | 'forward' | 'prerouting' | 'postrouting';
  /** What it matches, as nft writes it: `tcp dport 443`. */
  match: string;
  /** Drop every nth of these. Default: all. */
  every?: number;
  /** Order within the hook: source addresses are translated at 100 (`srcnat`). Default: 0. */
  priority?: number;
}

interface Listing {
  nftables: { rule?: { expr: { counter?: { packets: number } }[] } }[];
}

let counter = 0;

export class NftRule {
  readonly #exec: Exec;
  readonly #table: readonly string[];

  constructor(exec: Exec, { table = 'inet', hook, match, every = 1, priority = 0 }: NftMatch) {
    counter++;
    this.#exec = exec;
    this.#table = ['table', table, `losslog${counter}`];
    const chain = `type filter hook ${hook} priority ${priority}; policy accept;`;
    const nth = every === 1 ? '' : `numgen inc mod ${every} ${every - 1}`;
    exec('nft', `${this.#table.join(' ')} { chain ${hook} { ${chain} ${match} ${nth} counter drop; }; }`);
  }

  /** Packets (skbs) that the rule has dropped so far. */
  packets(): number {
    const { nftables } = JSON.parse(this.#exec('nft', '-j', 'list', ...this.#table)) as Listing;
    const counted = nftables.flatMap(({ rule }) => rule?.expr ?? []).flatMap((each) => each.counter ?? []);
    if (counted[0] === undefined) throw new Error(`no rule in ${this.#table.join(' ')}`);
    return counted[0].packets;
  }
}
