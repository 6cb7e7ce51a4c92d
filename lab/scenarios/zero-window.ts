import type { Scenario } from '../scenario/scenario.ts';
import { growth } from '../scenario/traffic.ts';
import { sendTcp, startSink } from '../traffic.ts';

export default {
  description: 'the server process reads nothing: its receive window closes, and the client may only probe it',
  async build(lab, family) {
    const { client, server } = lab.twoHosts();
    const sink = await startSink(server, { read: false, title: 'stuck' });
    const target = { host: server.ip(family), port: sink.port };
    const probes = growth(client, 'TcpExt.TCPWinProbe');
    return {
      hosts: { client, server },
      expected: { rule: 'receiver', at: 'server' },
      run: () =>
        sendTcp(client, { ...target, bytes: 20_000_000, title: 'curl' }, { timeoutMs: 3000 }).then(
          () => undefined,
          () => undefined,
        ),
      evidence: probes,
    };
  },
} satisfies Scenario;
