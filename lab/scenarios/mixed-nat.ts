import { translate } from '../scenario/nat.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { servedBehindRouter } from '../scenario/traffic.ts';
import { connectOften, sendTcp } from '../traffic.ts';

export default {
  description: 'bulk and short connections through a router that translates addresses and loses 1 % of the packets',
  async build(lab, family) {
    const { client, router, server, target } = await servedBehindRouter(lab, family);
    const via = translate(router, target, family);
    const rule = router.dropRandomly(0.01, { chain: 'FORWARD', family, protocol: 'tcp' });
    return {
      hosts: { client, router, server },
      expected: { rule: 'firewall', at: 'router' },
      async run() {
        const bulk = sendTcp(client, { ...via, bytes: 5_000_000, connections: 2, title: 'rsync' });
        await connectOften(client, { ...via, count: 200, concurrency: 10, bytes: 5000, title: 'curl' });
        await bulk;
      },
      evidence: async () => ({ 'packets that the rule dropped': rule.packets() }),
    };
  },
} satisfies Scenario;
