import type { Scenario } from '../scenario/scenario.ts';
import { knock, served } from '../scenario/traffic.ts';

export default {
  description: 'a firewall rule of the server drops each SYN to one port: nobody gets through',
  async build(lab, family) {
    const { client, server, target } = await served(lab, family);
    const rule = server.dropMatching({ family, protocol: 'tcp', dport: target.port, extra: ['--syn'] });
    return {
      hosts: { client, server },
      expected: { rule: 'firewall', at: 'server' },
      run: () => knock(client, target),
      evidence: async () => ({ 'packets that the rule dropped': rule.packets() }),
    };
  },
} satisfies Scenario;
