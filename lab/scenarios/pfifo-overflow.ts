import { queueDrops } from '../scenario/queue.ts';
import { attempt, type Scenario } from '../scenario/scenario.ts';
import { servedBehindRouter } from '../scenario/traffic.ts';
import { sendTcp } from '../traffic.ts';

export default {
  description: "a router's queue of 11 packets (pfifo in a class of htb, 50 Mbit/s) overflows",
  async build(lab, family) {
    const { client, router, server, target } = await servedBehindRouter(lab, family);
    const tc = (...words: string[]): string => router.exec('tc', ...words);
    attempt('no htb queue', () => tc('qdisc', 'add', 'dev', 'eth1', 'root', 'handle', '1:', 'htb', 'default', '1'));
    tc('class', 'add', 'dev', 'eth1', 'parent', '1:', 'classid', '1:1', 'htb', 'rate', '50mbit');
    attempt('no pfifo queue', () => tc('qdisc', 'add', 'dev', 'eth1', 'parent', '1:1', 'pfifo', 'limit', '11'));
    return {
      hosts: { client, router, server },
      expected: { rule: 'queue', at: 'router' },
      run: async () => void (await sendTcp(client, { ...target, bytes: 400_000, connections: 8, title: 'rsync' })),
      evidence: async () => ({ 'packets that the queue dropped': queueDrops(router, 'eth1', 'pfifo') }),
    };
  },
} satisfies Scenario;
