import { attempt, type Scenario } from '../scenario/scenario.ts';
import { servedBehindRouter } from '../scenario/traffic.ts';
import { sendTcp } from '../traffic.ts';

export default {
  description: "a router's queue towards the server (tc tbf, 20 Mbit/s) overflows",
  async build(lab, family) {
    const { client, router, server, target } = await servedBehindRouter(lab, family);
    const limit = attempt('no tbf queue', () => router.limitRate({ device: 'eth1', rate: '20mbit' }));
    return {
      hosts: { client, router, server },
      expected: { rule: 'queue', at: 'router' },
      run: async () => void (await sendTcp(client, { ...target, bytes: 400_000, connections: 8, title: 'rsync' })),
      evidence: async () => ({ 'packets that the queue dropped': limit.dropped() }),
    };
  },
} satisfies Scenario;
