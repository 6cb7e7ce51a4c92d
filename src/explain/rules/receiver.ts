import { dropRule } from './drop-rule.ts';
import { placeOf } from './place.ts';
import type { Rule } from './rule.ts';
import { flowWords, inside, netnsWords, packets, plural, processWords } from './words.ts';

/** Only probes of a closed window come here with it (window-probes.ts): such a drop is benign. */
const PROBE = 'TCP_OLD_SEQUENCE';

/** What the kernel means by its reason. */
const ROOM: Readonly<Record<string, string>> = {
  SOCKET_RCVBUFF: 'the receive buffer of the socket was full',
  SOCKET_BACKLOG: 'the socket was busy and its backlog full',
  PROTO_MEM: 'TCP or UDP may not use more memory on this host (tcp_mem, udp_mem)',
  TCP_ZEROWINDOW: 'the receive window was closed: the program does not read',
  [PROBE]: 'the sender probed a closed receive window, each time after about twice the time: the program does not read',
  TCP_INVALID_END_SEQUENCE:
    'the segment ended beyond the receive window, which closes when the socket has no memory left (tcp_select_window())',
  TCP_OVERWINDOW: 'more came than the receive window allowed',
  TCP_OFO_QUEUE_PRUNE: 'what had come out of order was thrown away to make room (tcp_prune_ofo_queue())',
};

/** The receiving socket or its memory had no room: the program reads too slowly, or its buffer is small. */
const ofDrops = dropRule({
  name: 'receiver',
  reasons: [
    ...['SOCKET_RCVBUFF', 'SOCKET_BACKLOG', 'PROTO_MEM', 'TCP_ZEROWINDOW', 'TCP_OVERWINDOW'],
    ...['TCP_INVALID_END_SEQUENCE', 'TCP_OFO_QUEUE_PRUNE', 'PFMEMALLOC', 'PACKET_SOCK_ERROR', PROBE],
  ],
  peer: (drop, { flows }) => (drop.flow === undefined ? undefined : flows.destination(drop.flow)),
  title: (group, known) =>
    group.claim.place.reason === PROBE
      ? `the receiver${processWords(group)} stopped reading ${netnsWords(group.claim.place, known)}: ${plural(group.drops, 'probe')} of its closed window${flowWords(group, known)}`
      : `the receiver${processWords(group)} did not keep up ${netnsWords(group.claim.place, known)}: ${packets(group)}${flowWords(group, known)} dropped`,
  restsOn: ({ claim: { place }, notes }) => [
    ...[ROOM[place.reason ?? '']].filter((text) => text !== undefined),
    ...notes
      .top(Number.POSITIVE_INFINITY)
      .filter(([reason]) => reason !== place.reason)
      .map(([reason]) =>
        [`of the same connections packets were dropped for ${reason}`, ROOM[reason]].filter(Boolean).join(': '),
      ),
  ],
  alternatives: () => [
    'a burst that was short: then a larger buffer is enough',
    'a program that hangs, or has too little CPU',
  ],
  advice: ({ claim: { place } }, known) => [
    { text: 'sockets whose Recv-Q is not read, and their buffers', command: inside(place, 'ss -tunmp', known) },
    {
      text: 'bounds of the buffers and of their memory',
      command: inside(place, 'sysctl net.core.rmem_max net.ipv4.tcp_rmem net.ipv4.tcp_mem net.ipv4.udp_mem', known),
    },
    { text: 'memory in use', command: inside(place, 'cat /proc/net/sockstat', known) },
  ],
});

const COUNTERS: ReadonlySet<string> = new Set([
  ...['RcvPruned', 'OfoPruned', 'TCPRcvQDrop', 'TCPAbortOnMemory', 'TCPBacklogDrop', 'TCPZeroWindowDrop'],
  ...['UdpRcvbufErrors', 'UdpMemErrors', 'Udp6RcvbufErrors', 'Udp6MemErrors'],
]);

export const receiver: Rule = {
  ...ofDrops,
  /** A socket of TCP without room refuses one packet for want of memory and the next for the window that it closed thereby. */
  drop(drop, known) {
    const claim = ofDrops.drop?.(drop, known);
    if (claim === undefined || drop.protocol !== 'tcp' || drop.reason === PROBE) return claim;
    return { ...claim, what: 'tcp-room', ...(drop.reason === undefined ? {} : { note: drop.reason }) };
  },
  counter(grown) {
    if (!COUNTERS.has(grown.counter)) return undefined;
    return { place: placeOf(grown, { reason: grown.counter }), sureness: 'likely' };
  },
  describe(group, known, sent) {
    const described = ofDrops.describe(group, known, sent);
    if (group.drops > 0) return described;
    const counted = group.counters.top(3).map(([name, count]) => `${name} +${count}`);
    const title = `the receiver did not keep up ${netnsWords(group.claim.place, known)}: the kernel counted ${counted.join(', ')}`;
    return { ...described, title };
  },
};
