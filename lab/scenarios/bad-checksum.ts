import type { Scenario } from '../scenario/scenario.ts';
import { growth, serve, talk } from '../scenario/traffic.ts';
import { startWire } from '../traffic.ts';

export default {
  description: 'the path damages every 17th packet: its TCP checksum is wrong at the server',
  async build(lab, family) {
    const { client, middle, server } = lab.between({ tso: false });
    await startWire(middle, { fault: 'corrupt', every: 17 });
    const { target } = await serve(server, family);
    return {
      hosts: { client, middle, server },
      recorded: ['client', 'server'],
      expected: { rule: 'checksum', at: 'server' },
      run: () => talk(client, target),
      evidence: growth(server, 'Tcp.InCsumErrors'),
    };
  },
} satisfies Scenario;
