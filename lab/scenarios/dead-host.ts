import type { Scenario } from '../scenario/scenario.ts';
import { growth, knock } from '../scenario/traffic.ts';

export default {
  description: "a host of the client's own segment is gone: the client's kernel waits for ARP or neighbour discovery",
  async build(lab, family) {
    const { client, server } = lab.twoHosts();
    const gone = { host: family === 4 ? '10.99.1.77' : 'fd99:1::77', port: 443 };
    return {
      hosts: { client, server },
      expected: { rule: 'neighbour', at: 'client' },
      run: () => knock(client, gone),
      evidence: growth(client, 'TcpExt.TCPTimeouts'),
    };
  },
} satisfies Scenario;
