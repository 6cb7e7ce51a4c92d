import { setTimeout as sleep } from 'node:timers/promises';
import { compiled } from '../compile.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { growth } from '../scenario/traffic.ts';
import { holdConnection } from '../traffic.ts';

export default {
  description: "the server's socket has no memory left for data within the window that it announced; nobody reads it",
  async build(lab, family) {
    const { client, server } = lab.twoHosts({ tso: false });
    const stuck = server.spawn([compiled('shrink'), '2000']);
    const { port } = await stuck.answer<{ port: number }>();
    return {
      hosts: { client, server },
      expected: { rule: 'receiver', at: 'server' },
      async run() {
        const held = await holdConnection(client, { host: server.ip(family), port, title: 'curl' });
        await held.tell('send 1009');
        await sleep(100);
        stuck.tell('shrink');
        await stuck.answer();
        for (let i = 0; i < 9; i++) await held.tell('send 1009');
        await sleep(1700);
      },
      evidence: growth(server, 'TcpExt.TCPRcvQDrop'),
    };
  },
} satisfies Scenario;
