import { attempt, type Scenario } from '../scenario/scenario.ts';
import { serve, talk } from '../scenario/traffic.ts';

export default {
  description:
    'two containers on a bridge; a rule of the host (nft, table bridge) drops every 13th packet between them',
  async build(lab, family) {
    const { client, middle: node, server } = lab.between({ tso: false });
    attempt('no bridge', () => node.exec('ip', 'link', 'add', 'br0', 'up', 'type', 'bridge'));
    for (const port of ['client', 'server']) node.exec('ip', 'link', 'set', port, 'master', 'br0');
    const { target } = await serve(server, family);
    const match = { table: 'bridge', hook: 'forward', match: `tcp dport ${target.port}`, every: 13 } as const;
    const rule = attempt('nft has no table bridge here', () => node.nftDrop(match));
    return {
      hosts: { client, node, server },
      expected: { rule: 'firewall', at: 'node' },
      run: () => talk(client, target),
      evidence: async () => ({ 'packets that the rule dropped': rule.packets() }),
    };
  },
} satisfies Scenario;
