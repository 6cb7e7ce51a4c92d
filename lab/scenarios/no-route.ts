import type { Scenario } from '../scenario/scenario.ts';
import { growth, interrupt, servedBehindRouter } from '../scenario/traffic.ts';

export default {
  description: 'the router loses its route to the server: its device goes down',
  async build(lab, family) {
    const { client, router, server, target } = await servedBehindRouter(lab, family);
    return {
      hosts: { client, router, server },
      expected: { rule: 'route', at: 'router' },
      run: () => interrupt(client, target, () => router.exec('ip', 'link', 'set', 'eth1', 'down')),
      evidence: growth(client, 'TcpExt.TCPTimeouts'),
    };
  },
} satisfies Scenario;
