import type { Scenario } from '../scenario/scenario.ts';
import { growth, serve, talk } from '../scenario/traffic.ts';
import { startWire } from '../traffic.ts';

export default {
  description: 'the path delivers every 29th packet 8 ms late, behind others: nothing is lost, yet it is sent again',
  async build(lab, family) {
    const { client, middle, server } = lab.between({ tso: false });
    const wire = await startWire(middle, { fault: 'delay', every: 29, delayMs: 8 });
    const { target } = await serve(server, family);
    const grown = growth(client, 'TcpExt.TCPDSACKRecv', 'Tcp.RetransSegs');
    return {
      hosts: { client, middle, server },
      recorded: ['client', 'server'],
      expected: { rule: 'spurious', at: 'client' },
      run: () => talk(client, target),
      evidence: async () => ({ 'packets that came late': (await wire.stats()).hit, ...(await grown()) }),
    };
  },
} satisfies Scenario;
