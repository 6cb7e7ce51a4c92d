import type { Scenario } from '../scenario/scenario.ts';
import { growth, loseAcknowledgements, served } from '../scenario/traffic.ts';

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
        const back = { family, protocol: 'tcp', sport: target.port } as const;
        dropped = await loseAcknowledgements(client, target, () => client.dropMatching(back));
      },
      evidence: async () => ({ 'acknowledgements that the rule dropped': dropped, ...(await grown()) }),
    };
  },
} satisfies Scenario;
