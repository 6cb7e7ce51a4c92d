import { queueDrops } from '../scenario/queue.ts';
import { attempt, type Scenario } from '../scenario/scenario.ts';
import { servedBehindRouter } from '../scenario/traffic.ts';
import { sendTcp } from '../traffic.ts';

export default {
  description: "a router's fair queue (fq, 5 packets a flow, 10 Mbit/s a flow) overflows",
  async build(lab, family) {
    const { client, router, server, target } = await servedBehindRouter(lab, family);
    const fq = ['fq', 'flow_limit', '5', 'maxrate', '10mbit'];
    attempt('no fq queue', () => router.exec('tc', 'qdisc', 'add', 'dev', 'eth1', 'root', ...fq));
    return {
      hosts: { client, router, server },
      expected: { rule: 'queue', at: 'router' },
      run: async () => void (await sendTcp(client, { ...target, bytes: 400_000, connections: 4, title: 'rsync' })),
      evidence: async () => ({ 'packets that the queue dropped': queueDrops(router, 'eth1', 'fq') }),
    };
  },
} satisfies Scenario;
