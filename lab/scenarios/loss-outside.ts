import type { Scenario } from '../scenario/scenario.ts';
import { servedBehindRouter, talk } from '../scenario/traffic.ts';

export default {
  description: 'a router that is not recorded drops every 13th packet; neither end drops anything',
  async build(lab, family) {
    const { client, router, server, target } = await servedBehindRouter(lab, family);
    const rule = router.dropEveryNth(13, { chain: 'FORWARD', family, protocol: 'tcp', dport: target.port });
    return {
      hosts: { client, router, server },
      recorded: ['client'],
      expected: { rule: 'outside' },
      run: () => talk(client, target),
      evidence: async () => ({ 'packets that the rule dropped': rule.packets() }),
    };
  },
} satisfies Scenario;
