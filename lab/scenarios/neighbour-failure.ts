import type { Scenario } from '../scenario/scenario.ts';
import { growth, knock, servedBehindRouter } from '../scenario/traffic.ts';

export default {
  description: 'the server is gone: the router gets no answer to ARP or neighbour discovery',
  async build(lab, family) {
    const { client, router, server } = await servedBehindRouter(lab, family);
    const gone = { host: family === 4 ? '10.99.2.77' : 'fd99:2::77', port: 443 };
    return {
      hosts: { client, router, server },
      expected: { rule: 'neighbour', at: 'router' },
      // the router gives up after three seconds, when the client has tried three times again
      run: () => knock(client, gone, 4),
      evidence: growth(router, family === 4 ? 'Icmp.OutDestUnreachs' : 'Icmp6.OutDestUnreachs'),
    };
  },
} satisfies Scenario;
