import { attempt, type Scenario } from '../scenario/scenario.ts';
import { growth, interrupt, serve } from '../scenario/traffic.ts';

const PORTS = ['client', 'server'];

export default {
  description: 'two containers on a bridge, whose ports the host isolates from each other',
  async build(lab, family) {
    const { client, middle: node, server } = lab.between({ tso: false });
    attempt('no bridge', () => node.exec('ip', 'link', 'add', 'br0', 'up', 'type', 'bridge'));
    for (const port of PORTS) node.exec('ip', 'link', 'set', port, 'master', 'br0');
    const { target } = await serve(server, family);
    const isolate = (): void => {
      for (const port of PORTS)
        attempt('ports cannot be isolated', () => node.exec('bridge', 'link', 'set', 'dev', port, 'isolated', 'on'));
    };
    return {
      hosts: { client, node, server },
      expected: { rule: 'bridge', at: 'node' },
      run: () => interrupt(client, target, isolate),
      evidence: growth(client, 'TcpExt.TCPTimeouts'),
    };
  },
} satisfies Scenario;
