import type { Scenario } from '../scenario/scenario.ts';
import { servedBehindRouter, talk } from '../scenario/traffic.ts';

const PORT = 8080;

export default {
  description: 'a router translates both addresses (DNAT and masquerade); the server behind it drops every 13th packet',
  async build(lab, family) {
    const { client, router, server, target } = await servedBehindRouter(lab, family);
    const to = family === 4 ? `${target.host}:${target.port}` : `[${target.host}]:${target.port}`;
    const nat = { table: 'nat', family, protocol: 'tcp' } as const;
    const dnat = ['DNAT', '--to-destination', to];
    router.dropMatching({ ...nat, chain: 'PREROUTING', dport: PORT, target: dnat });
    router.dropMatching({ ...nat, chain: 'POSTROUTING', dport: target.port, target: ['MASQUERADE'] });
    const rule = server.dropEveryNth(13, { family, protocol: 'tcp', dport: target.port });
    return {
      hosts: { client, router, server },
      expected: { rule: 'firewall', at: 'server' },
      run: () => talk(client, { host: router.ip(family), port: PORT }),
      evidence: async () => ({ 'packets that the rule dropped': rule.packets() }),
    };
  },
} satisfies Scenario;
