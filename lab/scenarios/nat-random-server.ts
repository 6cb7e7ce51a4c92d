import { translate } from '../scenario/nat.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { servedBehindRouter, talk } from '../scenario/traffic.ts';

export default {
  description:
    'NAT of both addresses and the source port (masquerade --random-fully); the server drops every 13th packet',
  async build(lab, family) {
    const { client, router, server, target } = await servedBehindRouter(lab, family);
    const via = translate(router, target, family, ['--random-fully']);
    const rule = server.dropEveryNth(13, { family, protocol: 'tcp', dport: target.port });
    return {
      hosts: { client, router, server },
      expected: { rule: 'firewall', at: 'server' },
      run: () => talk(client, via),
      evidence: async () => ({ 'packets that the rule dropped': rule.packets() }),
    };
  },
} satisfies Scenario;
