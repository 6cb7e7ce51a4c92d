import { setTimeout as sleep } from 'node:timers/promises';
import { translate } from '../scenario/nat.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { growth, servedBehindRouter } from '../scenario/traffic.ts';
import { holdConnection } from '../traffic.ts';

export default {
  description:
    'NAT of both addresses and the source port; for 0.7 s the server drops its acknowledgements on their way out',
  async build(lab, family) {
    const { client, router, server, target } = await servedBehindRouter(lab, family);
    const via = translate(router, target, family, ['--random-fully']);
    const grown = growth(client, 'TcpExt.TCPTimeouts');
    let dropped = 0;
    return {
      hosts: { client, router, server },
      expected: { rule: 'ack-lost', at: 'server' },
      async run() {
        const held = await holdConnection(client, { ...via, title: 'curl' });
        await held.tell('send 1009');
        await sleep(100);
        const out = { chain: 'OUTPUT', family, protocol: 'tcp', sport: target.port } as const;
        const rule = server.dropMatching(out);
        await held.tell('send 1009');
        await sleep(700);
        dropped = rule.packets();
        rule.remove();
        await sleep(1500);
      },
      evidence: async () => ({ 'acknowledgements that the rule dropped': dropped, ...(await grown()) }),
    };
  },
} satisfies Scenario;
