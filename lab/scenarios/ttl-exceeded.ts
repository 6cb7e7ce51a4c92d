import type { Scenario } from '../scenario/scenario.ts';
import { growth, interrupt, servedBehindRouter } from '../scenario/traffic.ts';

export default {
  description: "the client's packets get a time to live of 1, which ends at the router",
  async build(lab, family) {
    const { client, router, server, target } = await servedBehindRouter(lab, family);
    const setting = family === 4 ? 'net.ipv4.ip_default_ttl' : `net.ipv6.conf.${client.device}.hop_limit`;
    return {
      hosts: { client, router, server },
      expected: { rule: 'ttl', at: 'router' },
      run: () => interrupt(client, target, () => client.sysctl(setting, 1)),
      evidence: growth(router, family === 4 ? 'Icmp.OutTimeExcds' : 'Icmp6.OutTimeExcds'),
    };
  },
} satisfies Scenario;
