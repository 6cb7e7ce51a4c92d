import type { Scenario } from '../scenario/scenario.ts';
import { growth, interrupt, served } from '../scenario/traffic.ts';

export default {
  description: "the client's own device goes down, and its route with it: nothing can be resent",
  async build(lab, family) {
    const { client, server, target } = await served(lab, family);
    return {
      hosts: { client, server },
      expected: { rule: 'route', at: 'client' },
      run: () => interrupt(client, target, () => client.exec('ip', 'link', 'set', client.device, 'down')),
      evidence: growth(client, family === 4 ? 'Ip.OutNoRoutes' : 'Ip6.OutNoRoutes'),
    };
  },
} satisfies Scenario;
