/** A router that translates both ends of the connections to one of its ports, in front of a server. */

import { type IpBytes, parseIp } from '../../src/base/ip.ts';
import { formatSocketAddress } from '../../src/base/socket-address.ts';
import type { Family } from '../drop-rule.ts';
import type { Host } from '../host.ts';
import type { Scenario } from './scenario.ts';
import { servedBehindRouter, type Target, talk } from './traffic.ts';

/** Of the router. */
const PORT = 8080;

/** @param masquerade options of the target MASQUERADE */
export function translate(router: Host, target: Target, family: Family, masquerade: readonly string[] = []): Target {
  const to = formatSocketAddress({ address: parseIp(target.host) as IpBytes, port: target.port });
  const nat = { table: 'nat', family, protocol: 'tcp' } as const;
  const toServer = ['DNAT', '--to-destination', to];
  router.dropMatching({ ...nat, chain: 'PREROUTING', dport: PORT, target: toServer });
  router.dropMatching({ ...nat, chain: 'POSTROUTING', dport: target.port, target: ['MASQUERADE', ...masquerade] });
  return { host: router.ip(family), port: PORT };
}

/** The server behind such a router drops every 13th packet, where nothing knows the addresses of the client any more. */
export const dropAtServer =
  (masquerade: readonly string[] = []): Scenario['build'] =>
  async (lab, family) => {
    const { client, router, server, target } = await servedBehindRouter(lab, family);
    const via = translate(router, target, family, masquerade);
    const rule = server.dropEveryNth(13, { family, protocol: 'tcp', dport: target.port });
    return {
      hosts: { client, router, server },
      expected: { rule: 'firewall', at: 'server' },
      run: () => talk(client, via),
      evidence: async () => ({ 'packets that the rule dropped': rule.packets() }),
    };
  };
