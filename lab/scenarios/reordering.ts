import type { Scenario } from '../scenario/scenario.ts';
import { growth, serve } from '../scenario/traffic.ts';
import { sendTcp, startWire } from '../traffic.ts';

const EVERY = 29;
/** Three make TCP take it for lost (RFC 5681 3.2); half a burst follows most of them at once. */
const BY = 6;
/** One that has seen reordering is patient (RACK, RFC 8985 6.2), and sends again by the clock only: a new one is not. */
const CONNECTIONS = 8;
const BURSTS = { bytes: 100_000, chunkBytes: 20_000, pauseMs: 20 };

export default {
  description: `the path lets ${BY} packets overtake every ${EVERY}th: nothing is lost, yet it is sent again`,
  async build(lab, family) {
    const { client, middle, server } = lab.between({ gso: false });
    const wire = await startWire(middle, { fault: 'overtaken', every: EVERY, by: BY });
    const { target } = await serve(server, family);
    const grown = growth(client, 'TcpExt.TCPDSACKRecv', 'Tcp.RetransSegs');
    return {
      hosts: { client, middle, server },
      recorded: ['client', 'server'],
      expected: { rule: 'spurious', at: 'client' },
      run: async () => void (await sendTcp(client, { ...target, ...BURSTS, rounds: CONNECTIONS, title: 'curl' })),
      evidence: async () => ({ 'packets that were overtaken': (await wire.stats()).hit, ...(await grown()) }),
    };
  },
} satisfies Scenario;
