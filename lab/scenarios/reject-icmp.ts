import type { Scenario } from '../scenario/scenario.ts';
import { served } from '../scenario/traffic.ts';
import { connectOften } from '../traffic.ts';

const COUNT = 7;

export default {
  description: 'a firewall rule of the server answers each SYN with ICMP port unreachable (REJECT)',
  async build(lab, family) {
    const { client, server, target } = await served(lab, family);
    const rule = server.dropMatching({ family, protocol: 'tcp', dport: target.port, target: ['REJECT'] });
    return {
      hosts: { client, server },
      expected: { rule: 'firewall', at: 'server' },
      run: async () => void (await connectOften(client, { ...target, count: COUNT, concurrency: 1, title: 'curl' })),
      evidence: async () => ({ 'packets that the rule rejected': rule.packets() }),
    };
  },
} satisfies Scenario;
