import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../scenario/scenario.ts';
import { growth } from '../scenario/traffic.ts';
import { holdConnection, startSink } from '../traffic.ts';

const COUNT = 5;

export default {
  description: 'the server process is killed before it has read what clients sent: its kernel ends them with a RST',
  async build(lab, family) {
    const { client, server } = lab.twoHosts();
    const sink = await startSink(server, { read: false, title: 'nginx' });
    const target = { host: server.ip(family), port: sink.port, title: 'curl' };
    return {
      hosts: { client, server },
      expected: { rule: 'reset', at: 'server' },
      async run() {
        const held = await Promise.all(Array.from({ length: COUNT }, () => holdConnection(client, target)));
        for (const { tell } of held) await tell('send 1009');
        await sleep(100);
        sink.process.kill();
        await sleep(300);
      },
      evidence: growth(server, 'TcpExt.TCPAbortOnClose'),
    };
  },
} satisfies Scenario;
