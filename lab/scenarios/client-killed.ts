import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../scenario/scenario.ts';
import { growth, served } from '../scenario/traffic.ts';
import { holdConnection } from '../traffic.ts';

export default {
  description: 'a client is killed while a firewall of the server drops its packets: its kernel goes on resending',
  async build(lab, family) {
    const { client, server, target } = await served(lab, family);
    const grown = growth(client, 'TcpExt.TCPTimeouts');
    return {
      hosts: { client, server },
      expected: { rule: 'firewall', at: 'server' },
      async run() {
        const held = await holdConnection(client, { ...target, title: 'curl' });
        await held.tell('send 1009');
        await sleep(100);
        server.dropMatching({ family, protocol: 'tcp', dport: target.port });
        await held.tell('send 1009');
        held.process.kill();
        await sleep(1700);
      },
      evidence: grown,
    };
  },
} satisfies Scenario;
