import type { Scenario } from '../scenario/scenario.ts';
import { growth, knock, served } from '../scenario/traffic.ts';

export default {
  description: 'the server has the address of the client, too: it takes what the client sends for forged',
  families: [4],
  async build(lab, family) {
    const { client, server, target } = await served(lab, family);
    server.exec('ip', 'addr', 'add', `${client.ip4}/32`, 'dev', 'lo');
    return {
      hosts: { client, server },
      expected: { rule: 'address', at: 'server' },
      run: () => knock(client, target),
      evidence: growth(client, 'TcpExt.TCPSynRetrans'),
    };
  },
} satisfies Scenario;
