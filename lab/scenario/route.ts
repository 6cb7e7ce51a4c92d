/** Routes of a router that lead nowhere. */

import type { Scenario } from './scenario.ts';
import { growth, interrupt, servedBehindRouter } from './traffic.ts';

/** A connection works, then its router gets a route of that type (ip-route(8)) to the server. */
export function routed(type: 'blackhole' | 'unreachable' | 'prohibit'): Scenario {
  return {
    description: `a route of type ${type} on the router swallows what goes to the server`,
    async build(lab, family) {
      const { client, router, server, target } = await servedBehindRouter(lab, family);
      const length = family === 4 ? 32 : 128;
      const route = ['route', 'add', type, `${target.host}/${length}`];
      return {
        hosts: { client, router, server },
        expected: { rule: 'route', at: 'router' },
        run: () => interrupt(client, target, () => router.exec('ip', `-${family}`, ...route)),
        evidence: growth(client, 'TcpExt.TCPTimeouts'),
      };
    },
  };
}
