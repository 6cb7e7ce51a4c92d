import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../scenario/scenario.ts';
import { growth, servedBehindRouter } from '../scenario/traffic.ts';
import { holdConnection } from '../traffic.ts';

export default {
  description: "a router that is not recorded loses the server's acknowledgements for 0.7 s; both ends are recorded",
  async build(lab, family) {
    const { client, router, server, target } = await servedBehindRouter(lab, family);
    return {
      hosts: { client, router, server },
      recorded: ['client', 'server'],
      expected: { rule: 'ack-lost' },
      async run() {
        const held = await holdConnection(client, { ...target, title: 'curl' });
        await held.tell('send 1009');
        await sleep(100);
        const rule = router.dropMatching({ chain: 'FORWARD', family, protocol: 'tcp', sport: target.port });
        await held.tell('send 1009');
        await sleep(700);
        rule.remove();
        await sleep(1500);
      },
      evidence: growth(client, 'TcpExt.TCPDSACKRecv', 'TcpExt.TCPTimeouts'),
    };
  },
} satisfies Scenario;
