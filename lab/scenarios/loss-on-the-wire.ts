import type { Scenario } from '../scenario/scenario.ts';
import { serve, talk } from '../scenario/traffic.ts';
import { startWire } from '../traffic.ts';

export default {
  description: 'the path loses every 17th packet, where no kernel sees it; both ends are recorded',
  async build(lab, family) {
    const { client, middle, server } = lab.between({ tso: false });
    const wire = await startWire(middle, { fault: 'drop', every: 17 });
    const { target } = await serve(server, family);
    return {
      hosts: { client, middle, server },
      recorded: ['client', 'server'],
      expected: { rule: 'outside' },
      run: () => talk(client, target),
      evidence: async () => ({ 'packets that the path lost': (await wire.stats()).hit }),
    };
  },
} satisfies Scenario;
