import type { Place } from '../types.ts';
import { dropRule } from './drop-rule.ts';
import { flowWords, inside, packets, placeWords } from './words.ts';

/** The chains that a packet on that way passes. */
function chains({ direction }: Place): string {
  if (direction === 'rx') return 'INPUT or PREROUTING';
  if (direction === 'tx') return 'OUTPUT or POSTROUTING';
  return direction === 'forward' ? 'FORWARD' : 'any chain';
}

/** Drops of the way through a program in user space (NFQUEUE): nobody takes them from the queue, or its answer was "drop". */
const NO_TAKER = 'nf_queue';
const ANSWERS = ['nf_reinject', 'nfqnl_reinject'];

/** A rule of nftables or iptables, or connection tracking, said "drop". */
export const firewall = dropRule({
  name: 'firewall',
  reasons: ['NETFILTER_DROP'],
  places: ['nf_hook_slow', 'nft_do_chain', 'ipt_do_table', 'ip6t_do_table', 'nf_hook_slow_list', NO_TAKER, ...ANSWERS],
  title: (group, known) => {
    const { place } = group.claim;
    return `the firewall ${placeWords(place, known)} dropped ${packets(group)}${flowWords(group, known)} (${chains(place)})`;
  },
  restsOn: ({ claim: { place }, rule, resets }) => [
    ...(place.location === NO_TAKER
      ? ['nf_queue() drops what no program takes from its queue, or what finds it full (NFQUEUE, nft queue)']
      : []),
    ...(ANSWERS.includes(place.location ?? '')
      ? ['the program that takes packets from a queue (NFQUEUE) said so']
      : []),
    ...(resets > 0 && rule.name === 'firewall'
      ? ['a RST answered what was dropped: the rule rejects (REJECT with tcp-reset)']
      : []),
  ],
  alternatives: ({ claim: { place } }) => [
    ...(place.direction === 'tx' ? ['a socket or cgroup filter of systemd or of a container runtime'] : []),
    'connection tracking: a rule that drops state "invalid", or a full table (nf_conntrack: table full in the kernel log)',
    'a chain of the device itself (nft, family netdev: ingress or egress), which iptables does not list',
  ],
  advice: ({ claim: { place } }, known) => {
    const chain = { rx: 'INPUT', tx: 'OUTPUT', forward: 'FORWARD' }[place.direction as 'rx'] as string | undefined;
    return [
      ...(place.location === NO_TAKER
        ? [
            {
              text: 'queues that a program takes from (columns: queue, port of the program, waiting, …, dropped when full)',
              command: inside(place, 'cat /proc/net/netfilter/nfnetlink_queue', known),
            },
          ]
        : []),
      { text: 'find the rule whose counter grows', command: inside(place, 'nft list ruleset', known) },
      { text: 'or, with iptables', command: inside(place, `iptables -nvL${chain ? ` ${chain}` : ''}`, known) },
      ...(place.direction === 'rx'
        ? [{ text: 'a rule before the routing', command: inside(place, 'iptables -t raw -nvL PREROUTING', known) }]
        : []),
      {
        text: 'see whether connection tracking is full (count near max) or refuses (invalid, insert_failed)',
        command: inside(place, 'sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max', known),
      },
    ];
  },
});
