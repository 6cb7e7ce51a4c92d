import { attempt, type Scenario } from '../scenario/scenario.ts';
import { served } from '../scenario/traffic.ts';
import { sendTcp } from '../traffic.ts';

export default {
  description: "the client's own queue (tc tbf, 20 Mbit/s) overflows under eight connections",
  async build(lab, family) {
    const { client, server, target } = await served(lab, family);
    const limit = attempt('no tbf queue', () => client.limitRate({ rate: '20mbit' }));
    return {
      hosts: { client, server },
      expected: { rule: 'local-queue', at: 'client' },
      run: async () => void (await sendTcp(client, { ...target, bytes: 400_000, connections: 8, title: 'rsync' })),
      evidence: async () => ({ 'packets that the queue dropped': limit.dropped() }),
    };
  },
} satisfies Scenario;
