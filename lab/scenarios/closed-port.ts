import type { Scenario } from '../scenario/scenario.ts';
import { growth } from '../scenario/traffic.ts';
import { connectOften } from '../traffic.ts';

const COUNT = 7;

export default {
  description: 'nobody listens on the port: the server answers each SYN with a RST',
  async build(lab, family) {
    const { client, server } = lab.twoHosts();
    const target = { host: server.ip(family), port: 81 };
    return {
      hosts: { client, server },
      expected: { rule: 'closed-port', at: 'server' },
      run: async () => void (await connectOften(client, { ...target, count: COUNT, concurrency: 1, title: 'curl' })),
      evidence: growth(server, 'Tcp.OutRsts'),
    };
  },
} satisfies Scenario;
