import { attempt, type Scenario } from '../scenario/scenario.ts';
import { growth, interrupt, served } from '../scenario/traffic.ts';

/** Classic BPF: return TC_ACT_SHOT. */
const SHOT = '1,6 0 0 2,';

export default {
  description: "a traffic control program on the server's device (tc ingress, as Cilium has them) drops what comes in",
  async build(lab, family) {
    const { client, server, target } = await served(lab, family);
    const device = ['dev', server.device];
    attempt('no clsact', () => server.exec('tc', 'qdisc', 'add', ...device, 'clsact'));
    const protocol = family === 4 ? 'ip' : 'ipv6';
    const bpf = ['bpf', 'direct-action', 'bytecode', SHOT];
    const filter = ['tc', 'filter', 'add', ...device, 'ingress', 'protocol', protocol, ...bpf];
    return {
      hosts: { client, server },
      expected: { rule: 'traffic-control', at: 'server' },
      run: () => interrupt(client, target, () => attempt('no BPF classifier', () => server.exec(...filter))),
      evidence: growth(client, 'TcpExt.TCPTimeouts'),
    };
  },
} satisfies Scenario;
