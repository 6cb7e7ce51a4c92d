import type { Scenario } from '../scenario/scenario.ts';
import { growth, interrupt, served } from '../scenario/traffic.ts';

/** Locally administered, and nobody's. */
const ELSEWHERE = '02:00:00:00:99:99';

export default {
  description: "the client knows a wrong Ethernet address of the server, as after a move of the server's address",
  async build(lab, family) {
    const { client, server, target } = await served(lab, family);
    const entry = [target.host, 'lladdr', ELSEWHERE, 'dev', client.device, 'nud', 'permanent'];
    return {
      hosts: { client, server },
      expected: { rule: 'other-host', at: 'server' },
      run: () => interrupt(client, target, () => client.exec('ip', 'neigh', 'replace', ...entry)),
      evidence: growth(client, 'TcpExt.TCPTimeouts'),
    };
  },
} satisfies Scenario;
