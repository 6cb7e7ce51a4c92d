import type { Scenario } from '../scenario/scenario.ts';
import { served } from '../scenario/traffic.ts';
import { connectOften } from '../traffic.ts';

const COUNT = 1000;

export default {
  description: `${COUNT} ordinary connections, of which none loses anything`,
  async build(lab, family) {
    const { client, server, sink, target } = await served(lab, family, { tso: true });
    return {
      hosts: { client, server },
      expected: {},
      run: async () => void (await connectOften(client, { ...target, count: COUNT, title: 'curl' })),
      evidence: async () => ({ 'connections that ended well': (await sink.stats()).closed }),
    };
  },
} satisfies Scenario;
