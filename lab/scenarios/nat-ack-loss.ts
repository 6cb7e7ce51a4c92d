import { translate } from '../scenario/nat.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { growth, loseAcknowledgements, servedBehindRouter } from '../scenario/traffic.ts';

export default {
  description:
    'NAT of both addresses and the source port; for 0.7 s the server drops its acknowledgements on their way out',
  async build(lab, family) {
    const { client, router, server, target } = await servedBehindRouter(lab, family);
    const via = translate(router, target, family, ['--random-fully']);
    const grown = growth(client, 'TcpExt.TCPTimeouts');
    let dropped = 0;
    return {
      hosts: { client, router, server },
      expected: { rule: 'ack-lost', at: 'server' },
      async run() {
        const out = { chain: 'OUTPUT', family, protocol: 'tcp', sport: target.port } as const;
        dropped = await loseAcknowledgements(client, via, () => server.dropMatching(out));
      },
      evidence: async () => ({ 'acknowledgements that the rule dropped': dropped, ...(await grown()) }),
    };
  },
} satisfies Scenario;
