import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../scenario/scenario.ts';
import { growth, served } from '../scenario/traffic.ts';
import { holdConnection } from '../traffic.ts';

export default {
  description: "a firewall rule of the client drops the server's acknowledgements for 0.7 s; the data arrive",
  async build(lab, family) {
    const { client, server, target } = await served(lab, family);
    const grown = growth(client, 'TcpExt.TCPDSACKRecv', 'TcpExt.TCPTimeouts');
    let dropped = 0;
    return {
      hosts: { client, server },
      expected: { rule: 'ack-lost', at: 'client' },
      async run() {
        const held = await holdConnection(client, { ...target, title: 'curl' });
        await held.tell('send 1009');
        await sleep(100);
        const rule = client.dropMatching({ family, protocol: 'tcp', sport: target.port });
        await held.tell('send 1009');
        await sleep(700);
        dropped = rule.packets();
        rule.remove();
        await sleep(1500);
      },
      evidence: async () => ({ 'acknowledgements that the rule dropped': dropped, ...(await grown()) }),
    };
  },
} satisfies Scenario;
