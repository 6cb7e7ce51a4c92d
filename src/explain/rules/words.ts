/** Words that the rules share: packets, places, and commands for a place. */

import { type FlowKey, portOf } from '../flows.ts';
import type { Group } from '../group.ts';
import type { Place } from '../types.ts';
import type { Known } from './rule.ts';

/** What most of a group has in common is told of all of it. */
const MOST = 0.8;

const NOUNS: Readonly<Record<string, [one: string, many: string]>> = {
  data: ['TCP packet', 'TCP packets'],
  SYN: ['SYN', 'SYNs'],
  'SYN-ACK': ['SYN-ACK', 'SYN-ACKs'],
  acknowledgement: ['acknowledgement', 'acknowledgements'],
  RST: ['RST', 'RSTs'],
  tcp: ['TCP packet', 'TCP packets'],
  udp: ['UDP packet', 'UDP packets'],
  icmp: ['ICMP packet', 'ICMP packets'],
  icmpv6: ['ICMPv6 packet', 'ICMPv6 packets'],
};

const TCP_KINDS = ['data', 'SYN', 'SYN-ACK', 'acknowledgement', 'RST', 'tcp'];

/** Counts are reckoned from a sample at times: whole numbers are told. */
export function plural(count: number, one: string, many = `${one}s`): string {
  const whole = Math.round(count);
  return `${whole} ${whole === 1 ? one : many}`;
}

/** `41 SYNs`, `3 UDP packets`, `7 packets`. */
export function packets(group: Group): string {
  const main = group.kinds.main(MOST);
  const tcp = TCP_KINDS.reduce((sum, kind) => sum + group.kinds.of(kind), 0);
  const kind = main ?? (tcp >= MOST * group.kinds.total ? 'tcp' : 'packet');
  const [one, many] =
    NOUNS[kind] ?? (kind === 'packet' ? ['packet', 'packets'] : [`${kind} packet`, `${kind} packets`]);
  return plural(group.drops, one, many);
}

/** ` to 10.0.0.9:443`, ` from 10.0.0.9:443`, ` with 10.0.0.9:443`, ` of 12 peers`; empty without addresses. */
export function flowWords(group: Group, known: Known): string {
  if (group.services.total === 0) return '';
  const [only] = group.connections;
  if (group.connections.size === 1 && only !== undefined) return ` (${connectionText(only, known)})`;
  const main = group.services.main(0.6);
  if (main !== undefined) {
    const isFrom = main < 0;
    const endpoint = isFrom ? -main - 1 : main;
    const both = group.services.of(-endpoint - 1) > 0 && group.services.of(endpoint) > 0;
    return ` ${both ? 'with' : isFrom ? 'from' : 'to'} ${known.flows.endpointText(endpoint)}`;
  }
  const [peer] = group.peers.top(1);
  if (group.peers.size === 1 && peer) return ` with ${known.flows.addressText(peer[0])}`;
  const ports = new Set(group.services.top(50).map(([key]) => portOf(key < 0 ? -key - 1 : key)));
  const [port] = ports;
  const suffix = ports.size === 1 && port ? ` on port ${port}` : '';
  return `, ${plural(group.peers.size, 'peer')}${suffix}`;
}

const connectionText = (flow: FlowKey, { flows }: Known): string =>
  `${flows.endpointText(flows.source(flow))} - ${flows.endpointText(flows.destination(flow))}`;

/** ` (mostly nginx)`; empty where no process stands out. */
export function processWords(group: Group): string {
  const main = group.processes.main(0.6);
  return main === undefined ? '' : ` of ${main}`;
}

/** `in netns web on eth0`, `on this host on eth0`; empty where nothing is known. */
export function placeWords({ netns, netnsName, device }: Place, known: Known): string {
  return [netnsWords({ netns, netnsName }, known), device === undefined ? '' : `on ${device}`]
    .filter(Boolean)
    .join(' ');
}

export function netnsWords(
  { netns, netnsName }: { netns?: number | undefined; netnsName?: string | undefined },
  known: Known,
): string {
  if (netnsName !== undefined) return `in netns ${netnsName}`;
  if (netns === undefined) return '';
  return netns === known.hostNetns ? "in the host's netns" : `in netns ${netns}`;
}

/** The command as it is run inside the namespace of the place. */
export function inside({ netns, netnsName }: Place, command: string, known: Known): string {
  if (netnsName !== undefined) return `ip netns exec ${shellWord(netnsName)} ${command}`;
  if (netns === undefined || netns === known.hostNetns) return command;
  return `nsenter --net -t "$(lsns -n -t net -o NS,PID | awk '$1 == ${netns} { print $2 }')" ${command}`;
}

/** A name as one word of a shell. */
const shellWord = (name: string): string => (/^[\w.:@-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`);

/** What the joined retransmissions rest on, for rules of drops. */
export function joinWords(group: Group): string[] {
  const lines: string[] = [];
  const { matched } = group;
  if (matched > 0) {
    const parts = group.partly > 0 ? `, ${Math.round(group.partly)} of them in part` : '';
    lines.push(
      `${plural(matched, 'retransmission')} sent again what was dropped here before: the same connection and sequence numbers${parts}`,
    );
  }
  if (group.lostAcks > 0) {
    lines.push(
      `${plural(group.lostAcks, 'retransmission')} came after an acknowledgement of the same data was dropped here: the data had arrived`,
    );
  }
  if (group.waited > 0) {
    lines.push(
      `${plural(group.waited, 'retransmission')} came while what had been sent before still waited here: it was dropped later`,
    );
  }
  if (group.tracked > 0)
    lines.push(`${Math.round(group.tracked)} were found behind NAT, by what connection tracking said of the drop`);
  if (group.translated > 0)
    lines.push(
      `${Math.round(group.translated)} were found behind NAT, by sequence numbers and what else NAT leaves alone`,
    );
  if (group.drops > 0 && group.resent + group.resets === 0 && group.kinds.of('data') + group.kinds.of('SYN') > 0) {
    lines.push(
      group.claim.place.direction === 'tx'
        ? 'dropped before it left: TCP mostly learns that at once, and what it sends then counts as no retransmission'
        : 'no recorded retransmission was caused by it',
    );
  }
  return lines;
}

/** The kernel's word for the drop. */
export function kernelWords({ reason, location }: Place): string {
  const at = location === undefined ? '' : ` in ${location}()`;
  return reason === undefined
    ? `the kernel freed the packets${at} and gave no reason`
    : `the kernel's reason is ${reason}${at}`;
}
