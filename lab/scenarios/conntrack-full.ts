import { LosslogError } from '../../src/base/errors.ts';
import { compiled } from '../compile.ts';
import type { Host } from '../host.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { knock, servedBehindRouter } from '../scenario/traffic.ts';

/** nf_conntrack_max cannot be set for one namespace, so that many entries are really made: some 300 bytes each. */
const MOST = 300_000;

export default {
  description: 'the connection tracking table of the router is full of connections of somebody else',
  families: [4],
  async build(lab, family) {
    const { client, router, server, target } = await servedBehindRouter(lab, family);
    router.dropMatching({
      chain: 'FORWARD',
      family,
      extra: ['-m', 'conntrack', '--ctstate', 'NEW'],
      target: ['ACCEPT'],
    });
    const most = maximum(router);
    const other = lab.attach(router, 'other', { device: 'eth2', subnet: 3 });
    for (const block of ['10.200.0.0/16', '10.201.0.0/16']) router.exec('ip', 'route', 'add', block, 'via', other.ip4);
    router.sysctl('net.ipv4.conf.eth2.send_redirects', 0);
    router.sysctl('net.ipv4.conf.all.send_redirects', 0);
    const mac = macOf(router, 'eth2');
    await other.spawn([compiled('track'), other.device, mac, String(most)]).answer(30_000);
    return {
      hosts: { client, router, server, other },
      recorded: ['client', 'router', 'server'],
      expected: { rule: 'firewall', at: 'router' },
      run: () => knock(client, target),
      evidence: async () => ({ 'packets for which the table had no room': refused(router) }),
    };
  },
} satisfies Scenario;

function maximum(router: Host): number {
  const most = Number(router.exec('cat', '/proc/sys/net/netfilter/nf_conntrack_max'));
  if (most > MOST) throw new LosslogError('NOT_SUPPORTED', `cannot be made here: nf_conntrack_max is ${most}`);
  return most;
}

function macOf(host: Host, device: string): string {
  const [link] = JSON.parse(host.exec('ip', '-j', 'link', 'show', device)) as { address: string }[];
  return link?.address ?? '';
}

/** Column `drop` of each CPU (hexadecimal), by net/netfilter/nf_conntrack_standalone.c. */
function refused(router: Host): number {
  const [header = '', ...rows] = router.exec('cat', '/proc/net/stat/nf_conntrack').trim().split('\n');
  const column = header.trim().split(/\s+/).indexOf('drop');
  return rows.reduce((sum, row) => sum + Number.parseInt(row.trim().split(/\s+/)[column] ?? '0', 16), 0);
}
