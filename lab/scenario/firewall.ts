/** Firewalls that drop every 13th packet, in every hook that a user writes rules for. */

import type { Family } from '../drop-rule.ts';
import type { Host } from '../host.ts';
import { attempt, type Scenario } from './scenario.ts';
import { served, servedBehindRouter, talk } from './traffic.ts';

const EVERY = 13;

export type Hook = 'input' | 'output' | 'forward';
type Drops = { packets(): number };
type MakeRule = (host: Host, hook: Hook, family: Family, port: number) => Drops;

const CHAINS = { input: 'INPUT', output: 'OUTPUT', forward: 'FORWARD' } as const;
const PLACES = { input: 'server', output: 'client', forward: 'router' } as const;

const iptables: MakeRule = (host, hook, family, dport) =>
  attempt('no xtables (iptables-legacy)', () =>
    host.dropEveryNth(EVERY, { chain: CHAINS[hook], family, protocol: 'tcp', dport, backend: 'legacy' }),
  );

const nft: MakeRule = (host, hook, _family, port) =>
  attempt('nft does not work here', () => host.nftDrop({ hook, match: `tcp dport ${port}`, every: EVERY }));

/** A firewall of `tool` in that hook: of the server, of the client itself, or of a router between them. */
export function firewall(tool: 'iptables' | 'nft', hook: Hook): Scenario {
  const makeRule = tool === 'nft' ? nft : iptables;
  return {
    description: `a firewall rule (${tool}, ${hook}) of the ${PLACES[hook]} drops every ${EVERY}th packet of a connection`,
    async build(lab, family) {
      const made =
        hook === 'forward'
          ? await servedBehindRouter(lab, family)
          : await served(lab, family, hook === 'output' ? { gso: false } : {});
      const { sink: _, target, ...hosts } = made;
      const place = PLACES[hook];
      const at = (hosts as Record<string, Host>)[place] as Host;
      const rule = makeRule(at, hook, family, target.port);
      return {
        hosts,
        expected: { rule: 'firewall', at: place },
        run: () => talk(hosts.client, target),
        evidence: async () => ({ 'packets that the rule dropped': rule.packets() }),
      };
    },
  };
}
