/** A router that translates both ends of the connections to one of its ports, in front of a server. */

import type { Family } from '../drop-rule.ts';
import type { Host } from '../host.ts';
import type { Target } from './traffic.ts';

/** Of the router. */
const PORT = 8080;

/** @param masquerade options of the target MASQUERADE */
export function translate(router: Host, target: Target, family: Family, masquerade: readonly string[] = []): Target {
  const to = family === 4 ? `${target.host}:${target.port}` : `[${target.host}]:${target.port}`;
  const nat = { table: 'nat', family, protocol: 'tcp' } as const;
  const toServer = ['DNAT', '--to-destination', to];
  router.dropMatching({ ...nat, chain: 'PREROUTING', dport: PORT, target: toServer });
  router.dropMatching({ ...nat, chain: 'POSTROUTING', dport: target.port, target: ['MASQUERADE', ...masquerade] });
  return { host: router.ip(family), port: PORT };
}
