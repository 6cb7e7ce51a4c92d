import { dropRule } from './drop-rule.ts';
import { flowWords, inside, packets, placeWords } from './words.ts';

/** The next hop did not answer ARP or neighbour discovery. */
export const neighbour = dropRule({
  name: 'neighbour',
  reasons: ['NEIGH_FAILED', 'NEIGH_QUEUEFULL', 'NEIGH_DEAD', 'NEIGH_CREATEFAIL', 'NEIGH_HH_FILLFAIL'],
  places: [
    'neigh_invalidate',
    'neigh_resolve_output',
    '__neigh_event_send',
    'ip_finish_output2',
    'ip6_finish_output2',
    'arp_error_report',
    'ndisc_error_report',
  ],
  what: 'neighbour',
  title: (group, known) =>
    `the next hop ${placeWords(group.claim.place, known)} did not answer ${group.kinds.of('icmpv6') > 0 ? 'neighbour discovery' : 'ARP or neighbour discovery'}: ${packets(group)}${flowWords(group, known)} dropped`,
  alternatives: ({ claim: { place } }) => [
    'the host is down or not on this network segment (wrong VLAN, wrong netmask)',
    ...(place.reason === 'NEIGH_QUEUEFULL' || place.reason === 'NEIGH_CREATEFAIL'
      ? ['more packets waited for the answer than the queue takes, or the neighbour table is full (gc_thresh3)']
      : []),
  ],
  advice: ({ claim: { place } }, known) => [
    {
      text: 'neighbours in the states FAILED and INCOMPLETE',
      command: inside(
        place,
        `ip neigh show${place.device ? ` dev ${place.device}` : ''} nud failed nud incomplete`,
        known,
      ),
    },
    {
      text: 'bounds of the table and of the queue',
      command: inside(place, 'sysctl net.ipv4.neigh.default.gc_thresh3 net.ipv4.neigh.default.unres_qlen_bytes', known),
    },
    {
      text: 'whether the link is up',
      command: inside(place, `ip -s link show${place.device ? ` dev ${place.device}` : ''}`, known),
    },
  ],
});
