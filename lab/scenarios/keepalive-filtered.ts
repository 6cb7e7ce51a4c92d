import { setTimeout as sleep } from 'node:timers/promises';
import type { DropRule } from '../drop-rule.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { servedBehindRouter } from '../scenario/traffic.ts';
import { holdConnection } from '../traffic.ts';

export default {
  description: 'a firewall of the router drops the keepalives of an idle connection, which the client then gives up',
  async build(lab, family) {
    const { client, router, server, target } = await servedBehindRouter(lab, family);
    const before = client.counters();
    const givenUp = (): number => client.counters().since(before).get('TcpExt.TCPAbortOnTimeout');
    let rule: DropRule | undefined;
    return {
      hosts: { client, router, server },
      expected: { rule: 'ack-lost', at: 'router' },
      async run() {
        await holdConnection(client, { ...target, keepAlive: true, title: 'curl' });
        rule = router.dropMatching({ chain: 'FORWARD', family, protocol: 'tcp', dport: target.port });
        for (let waited = 0; givenUp() === 0 && waited < 15_000; waited += 100) await sleep(100);
      },
      evidence: async () => ({
        'packets that the rule dropped': rule?.packets() ?? 0,
        'TcpExt.TCPAbortOnTimeout': givenUp(),
      }),
    };
  },
} satisfies Scenario;
