import type { Scenario } from '../scenario/scenario.ts';
import { growth, servedBehindRouter } from '../scenario/traffic.ts';
import { sendTcp } from '../traffic.ts';

export default {
  description: 'the link behind the router takes 1300 bytes at most, and a firewall drops the ICMP that would say so',
  async build(lab, family) {
    const { client, router, server, target } = await servedBehindRouter(lab, family);
    router.exec('ip', 'link', 'set', 'eth1', 'mtu', '1300');
    const type = family === 4 ? ['--icmp-type', 'fragmentation-needed'] : ['--icmpv6-type', 'packet-too-big'];
    const rule = client.dropMatching({ family, protocol: 'icmp', extra: type });
    const grown = growth(client, 'TcpExt.TCPTimeouts');
    const data = { ...target, bytes: 100_000, title: 'curl' };
    return {
      hosts: { client, router, server },
      expected: { rule: 'path-mtu', at: 'router' },
      run: () =>
        sendTcp(client, data, { timeoutMs: 2500 }).then(
          () => undefined,
          () => undefined,
        ),
      evidence: async () => ({ 'ICMP packets that the rule dropped': rule.packets(), ...(await grown()) }),
    };
  },
} satisfies Scenario;
