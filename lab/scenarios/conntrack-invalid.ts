import type { DropRule } from '../drop-rule.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { interrupt, servedBehindRouter } from '../scenario/traffic.ts';

export default {
  description: 'the router does not know a connection that is older than its conntrack, and drops INVALID packets',
  async build(lab, family) {
    const { client, router, server, target } = await servedBehindRouter(lab, family);
    let rule: DropRule | undefined;
    const forget = (): void => {
      router.sysctl('net.netfilter.nf_conntrack_tcp_loose', 0);
      const invalid = ['-m', 'conntrack', '--ctstate', 'INVALID'];
      rule = router.dropMatching({ chain: 'FORWARD', family, protocol: 'tcp', extra: invalid });
    };
    return {
      hosts: { client, router, server },
      expected: { rule: 'firewall', at: 'router' },
      run: () => interrupt(client, target, forget),
      evidence: async () => ({ 'packets that the rule dropped': rule?.packets() ?? 0 }),
    };
  },
} satisfies Scenario;
