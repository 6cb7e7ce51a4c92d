import type { Place } from '../types.ts';
import { dropRule } from './drop-rule.ts';
import { flowWords, inside, packets, placeWords } from './words.ts';

/** The chains that a packet on that way passes. */
function chains({ direction }: Place): string {
  if (direction === 'rx') return 'INPUT or PREROUTING';
  if (direction === 'tx') return 'OUTPUT or POSTROUTING';
  return direction === 'forward' ? 'FORWARD' : 'any chain';
}

/** A rule of nftables or iptables, or connection tracking, said "drop". */
export const firewall = dropRule({
  name: 'firewall',
  reasons: ['NETFILTER_DROP'],
  places: ['nf_hook_slow', 'nft_do_chain', 'ipt_do_table', 'ip6t_do_table', 'nf_hook_slow_list'],
  title: (group, known) => {
    const { place } = group.claim;
    return `the firewall ${placeWords(place, known)} dropped ${packets(group)}${flowWords(group, known)} (${chains(place)})`;
  },
  alternatives: ({ claim: { place } }) => [
    ...(place.direction === 'tx' ? ['a socket or cgroup filter of systemd or of a container runtime'] : []),
    'connection tracking: a rule that drops state "invalid", or a full table (nf_conntrack: table full in the kernel log)',
  ],
  advice: ({ claim: { place } }, known) => {
    const chain = { rx: 'INPUT', tx: 'OUTPUT', forward: 'FORWARD' }[place.direction as 'rx'] as string | undefined;
    return [
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
