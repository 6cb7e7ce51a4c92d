import type { Scenario } from '../scenario/scenario.ts';
import { growth, knock, served } from '../scenario/traffic.ts';

export default {
  description: 'a server that is not recorded does not answer a SYN at all',
  async build(lab, family) {
    const { client, server, target } = await served(lab, family);
    server.dropMatching({ family, protocol: 'tcp' });
    return {
      hosts: { client, server },
      recorded: ['client'],
      expected: { rule: 'peer-silent' },
      run: () => knock(client, target),
      evidence: growth(client, 'TcpExt.TCPSynRetrans'),
    };
  },
} satisfies Scenario;
