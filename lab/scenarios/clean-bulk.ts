import { attempt, type Scenario } from '../scenario/scenario.ts';
import { served } from '../scenario/traffic.ts';
import { sendTcp } from '../traffic.ts';

const BYTES = 10e9;

export default {
  description: '10 GB in one connection, of which nothing is lost',
  async build(lab, family) {
    const { client, server, sink, target } = await served(lab, family, { tso: true });
    // Otherwise both the sender's CPU and the one that takes the acknowledgements send, and overtake each other.
    for (const host of [client, server]) attempt('no receive packet steering', () => host.receiveOn(0));
    return {
      hosts: { client, server },
      expected: {},
      run: async () => void (await sendTcp(client, { ...target, bytes: BYTES, title: 'rsync' }, { timeoutMs: 90_000 })),
      evidence: async () => ({ 'bytes that arrived': (await sink.stats()).bytes }),
    };
  },
} satisfies Scenario;
