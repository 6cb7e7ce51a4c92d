import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../scenario/scenario.ts';
import { growth, knock } from '../scenario/traffic.ts';
import { sendTcp, startSink } from '../traffic.ts';

const BACKLOG = 8;
const FULL = 'TcpExt.TCPReqQFullDrop';

export default {
  description: 'half-open connections of somebody else fill the SYN queue of the server, which has no SYN cookies',
  async build(lab, family) {
    const { client, server } = lab.twoHosts();
    const attacker = lab.attach(server, 'attacker', { device: 'eth1', subnet: 2 });
    attacker.dropMatching({ family, protocol: 'tcp' });
    server.sysctl('net.ipv4.tcp_syncookies', 0);
    const sink = await startSink(server, { backlog: BACKLOG, title: 'nginx' });
    const target = { host: server.ip(family), port: sink.port };
    const refused = growth(server, FULL);
    return {
      hosts: { client, server, attacker },
      recorded: ['client', 'server'],
      expected: { rule: 'syn-queue', at: 'server' },
      async run() {
        sendTcp(attacker, { ...target, bytes: 0, connections: BACKLOG * 2 }).catch(() => undefined);
        while ((await refused())[FULL] === 0) await sleep(50);
        await knock(client, target);
      },
      evidence: refused,
    };
  },
} satisfies Scenario;
