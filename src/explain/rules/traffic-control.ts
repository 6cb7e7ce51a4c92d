import { dropRule } from './drop-rule.ts';
import { flowWords, inside, packets, placeWords, processWords } from './words.ts';

const WHAT: Readonly<Record<string, string>> = {
  XDP: 'an XDP program',
  BPF_CGROUP_EGRESS: 'a BPF program of a cgroup',
  SOCKET_FILTER: 'a filter of the socket itself',
  SECURITY_HOOK: 'the security module (SELinux, AppArmor)',
};

/** A filter of tc, XDP, a cgroup or a socket said "drop". */
export const trafficControl = dropRule({
  name: 'traffic-control',
  reasons: [
    'TC_INGRESS',
    'TC_EGRESS',
    'TC_COOKIE_ERROR',
    'TC_CHAIN_NOTFOUND',
    'TC_RECLASSIFY_LOOP',
    ...Object.keys(WHAT),
  ],
  places: ['do_xdp_generic', 'veth_xdp_rcv_skb', 'sch_handle_ingress', 'sch_handle_egress', 'tcf_classify'],
  title: (group, known) => {
    const { place } = group.claim;
    const isXdp = place.location?.includes('xdp') === true;
    const what = WHAT[place.reason ?? ''] ?? (isXdp ? WHAT.XDP : 'a filter of traffic control (tc)');
    return `${what} ${placeWords(place, known)} dropped ${packets(group)}${processWords(group)}${flowWords(group, known)}`;
  },
  advice: ({ claim: { place } }, known) => {
    const device = place.device ?? 'DEVICE';
    if (place.reason === 'BPF_CGROUP_EGRESS') return [{ text: 'programs of cgroups', command: 'bpftool cgroup tree' }];
    if (place.reason === 'SOCKET_FILTER')
      return [{ text: 'filters of sockets', command: inside(place, 'ss -0pb; ss -tnpb', known) }];
    if (place.reason === 'SECURITY_HOOK') return [{ text: 'what was denied', command: 'ausearch -m avc -ts recent' }];
    const ways =
      place.reason === 'TC_EGRESS' ? ['egress'] : place.reason === 'TC_INGRESS' ? ['ingress'] : ['ingress', 'egress'];
    return [
      ...ways.map((way) => ({
        text: `the filters of the device, ${way}`,
        command: inside(place, `tc -s filter show dev ${device} ${way}`, known),
      })),
      { text: 'BPF programs of the network', command: inside(place, 'bpftool net show', known) },
    ];
  },
});
