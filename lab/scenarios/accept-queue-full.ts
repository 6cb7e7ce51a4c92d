import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../scenario/scenario.ts';
import { growth, knock } from '../scenario/traffic.ts';
import { holdConnection, startFullListener } from '../traffic.ts';

/** Connections that fill the queue: one more than the backlog. */
const WAITING = 2;

export default {
  description: 'the server accepts too slowly: its accept queue is full, and the kernel ignores further SYNs',
  async build(lab, family) {
    const { client, server } = lab.twoHosts();
    const { port } = await startFullListener(server, { backlog: WAITING - 1, title: 'slow-server' });
    const target = { host: server.ip(family), port };
    return {
      hosts: { client, server },
      expected: { rule: 'accept-queue', at: 'server' },
      async run() {
        for (let i = 0; i < WAITING; i++) await holdConnection(client, target);
        await sleep(50);
        await Promise.all([1, 2, 3].map(() => knock(client, target)));
      },
      evidence: growth(server, 'TcpExt.ListenOverflows'),
    };
  },
} satisfies Scenario;
