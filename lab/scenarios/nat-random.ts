import { translate } from '../scenario/nat.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { servedBehindRouter, talk } from '../scenario/traffic.ts';

/** After the source address was translated (100). */
const PRIORITY = 200;

export default {
  description:
    'NAT of both addresses and the source port (masquerade --random-fully); after it the router drops every 13th packet',
  async build(lab, family) {
    const { client, router, server, target } = await servedBehindRouter(lab, family);
    const via = translate(router, target, family, ['--random-fully']);
    const match = `tcp dport ${target.port}`;
    const rule = router.nftDrop({ hook: 'postrouting', priority: PRIORITY, match, every: 13 });
    return {
      hosts: { client, router, server },
      expected: { rule: 'firewall', at: 'router' },
      run: () => talk(client, via),
      evidence: async () => ({ 'packets that the rule dropped': rule.packets() }),
    };
  },
} satisfies Scenario;
