import type { DropRule } from '../drop-rule.ts';
import { attempt, type Scenario } from '../scenario/scenario.ts';
import { interrupt, servedBehindRouter } from '../scenario/traffic.ts';

export default {
  description: 'a firewall rule of the router gives packets to a program (NFQUEUE), and that program has ended',
  async build(lab, family) {
    const { client, router, server, target } = await servedBehindRouter(lab, family);
    const to = { chain: 'FORWARD', family, protocol: 'tcp', dport: target.port, target: ['NFQUEUE'] } as const;
    let rule: DropRule | undefined;
    const queue = (): void => {
      rule = attempt('no NFQUEUE', () => router.dropMatching(to));
    };
    return {
      hosts: { client, router, server },
      expected: { rule: 'firewall', at: 'router' },
      run: () => interrupt(client, target, queue),
      evidence: async () => ({ 'packets that the rule gave to the queue': rule?.packets() ?? 0 }),
    };
  },
} satisfies Scenario;
