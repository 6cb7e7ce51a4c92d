/** Links and addresses between namespaces. Devices are made inside lab namespaces only, never in the host's. */

import { run, runWithInput } from './command.ts';
import { compiled } from './compile.ts';
import { netnsPath } from './netns.ts';

export interface LinkOptions {
  /** Bytes. Default: 1500. */
  mtu?: number;
  /**
   * False: one segment an skb, on the link and in the sender's retransmission queue (`gso_max_segs 1`). `ethtool -K
   * gso off` would not do that: TCP builds GSO packets whatever the device says (`sk_setup_caps`, net/core/sock.c).
   */
  gso?: boolean;
  /**
   * False: the device takes no more than one segment at a time, so that loss hits single packets although the sender's
   * queue holds GSO skbs (what `ethtool -K tso off gso off` does). Needs a C compiler.
   */
  tso?: boolean;
  /** False: no IPv6 address, and IPv6 switched off. Default: true. */
  ipv6?: boolean;
}

/** One end of a veth pair. */
export interface End {
  netns: string;
  device: string;
  mac: string;
  ip4: string;
  /** Empty: no IPv6. */
  ip6: string;
}

/**
 * Joins two namespaces by a veth pair and gives both ends their addresses. Neighbours are entered for good, so that no
 * packet is lost to address resolution (an unresolved neighbour queues a few packets and drops the rest).
 */
export function link(a: End, b: End, options: LinkOptions = {}): void {
  const peer = ['peer', 'name', b.device, 'address', b.mac, 'netns', b.netns];
  run('ip', '-n', a.netns, 'link', 'add', a.device, 'address', a.mac, 'type', 'veth', ...peer);
  configure(a, b, options);
  configure(b, a, options);
}

/**
 * As {@link link}, through a third namespace: each end's other half of the veth pair is there, without an address, under
 * the name of the end's host. Nothing joins the two there yet.
 */
export function linkThrough(
  middle: string,
  a: End & { port: string },
  b: End & { port: string },
  options: LinkOptions,
): void {
  for (const end of [a, b]) {
    const peer = ['peer', 'name', end.port, 'netns', middle];
    run('ip', '-n', end.netns, 'link', 'add', end.device, 'address', end.mac, 'type', 'veth', ...peer);
    run(
      'ip',
      '-n',
      middle,
      'link',
      'set',
      'dev',
      end.port,
      'mtu',
      String(options.mtu ?? 1500),
      'addrgenmode',
      'none',
      'up',
    );
  }
  configure(a, b, options);
  configure(b, a, options);
}

/** Loopback up; IPv6 off where it is not wanted. */
export function prepareNetns(netns: string, ipv6: boolean): void {
  run('ip', '-n', netns, 'link', 'set', 'lo', 'up');
  if (!ipv6) sysctl(netns, 'net/ipv6/conf/all/disable_ipv6', '1');
}

export function sysctl(netns: string, path: string, value: string): void {
  run('nsenter', `--net=${netnsPath(netns)}`, 'sh', '-c', 'echo "$1" > "/proc/sys/$2"', 'sh', value, path);
}

export function addDefaultRoute(netns: string, gateway: End): void {
  run('ip', '-n', netns, 'route', 'add', 'default', 'via', gateway.ip4);
  if (gateway.ip6 !== '') run('ip', '-n', netns, '-6', 'route', 'add', 'default', 'via', gateway.ip6);
}

function configure(end: End, peer: End, options: LinkOptions): void {
  const neighbour = `lladdr ${peer.mac} dev ${end.device} nud permanent`;
  const lines = [
    // No link-local address: no duplicate detection and no router solicitations among the recorded packets.
    `link set dev ${end.device} mtu ${options.mtu ?? 1500} addrgenmode none`,
    ...(options.gso === false ? [`link set dev ${end.device} gso_max_segs 1`] : []),
    `addr add ${end.ip4}/24 dev ${end.device}`,
    ...(end.ip6 === '' ? [] : [`addr add ${end.ip6}/64 dev ${end.device} nodad`]),
    `link set dev ${end.device} up`,
    `neigh replace ${peer.ip4} ${neighbour}`,
    ...(peer.ip6 === '' ? [] : [`neigh replace ${peer.ip6} ${neighbour}`]),
  ];
  runWithInput(`${lines.join('\n')}\n`, 'ip', '-n', end.netns, '-batch', '-');
  if (options.tso === false) run('nsenter', `--net=${netnsPath(end.netns)}`, compiled('no-offload'), end.device);
}
