import type { Scenario } from '../scenario/scenario.ts';
import { growth } from '../scenario/traffic.ts';
import { blastUdp, startDeaf } from '../traffic.ts';

export default {
  description: 'a process does not read its UDP port: the receive buffer of its socket overflows',
  async build(lab, family) {
    const { client, server } = lab.twoHosts();
    const { port } = await startDeaf(server, { family, title: 'statsd' });
    return {
      hosts: { client, server },
      expected: { rule: 'receiver', at: 'server' },
      run: async () => void (await blastUdp(client, { host: server.ip(family), port, count: 499, rate: 5000 })),
      evidence: growth(server, family === 4 ? 'Udp.RcvbufErrors' : 'Udp6.RcvbufErrors'),
    };
  },
} satisfies Scenario;
