import type { Scenario } from '../scenario/scenario.ts';
import { growth, knock, served } from '../scenario/traffic.ts';

export default {
  description: 'the server expects packets of that source at another device and drops them (rp_filter)',
  families: [4],
  async build(lab, family) {
    const { client, server, target } = await served(lab, family);
    lab.attach(server, 'other', { device: 'eth1', subnet: 2 });
    server.sysctl('net.ipv4.conf.all.rp_filter', 1);
    client.exec('ip', 'addr', 'add', '10.99.2.77/32', 'dev', 'lo');
    client.exec('ip', 'route', 'change', '10.99.1.0/24', 'dev', client.device, 'src', '10.99.2.77');
    return {
      hosts: { client, server },
      expected: { rule: 'reverse-path', at: 'server' },
      run: () => knock(client, target),
      evidence: growth(server, 'TcpExt.IPReversePathFilter'),
    };
  },
} satisfies Scenario;
