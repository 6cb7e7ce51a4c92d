import { dropRule } from './drop-rule.ts';
import { flowWords, inside, packets, placeWords } from './words.ts';

/** Packets that came in fragments of which one is missing, or does not fit. */
export const fragment = dropRule({
  name: 'fragment',
  reasons: ['FRAG_REASM_TIMEOUT', 'FRAG_TOO_FAR'],
  places: ['ip_defrag', 'ip_frag_queue', 'ip6_frag_queue'],
  title: (group, known) =>
    `${packets(group)}${flowWords(group, known)} given up ${placeWords(group.claim.place, known)}: not all of their fragments came, or these did not fit`,
  alternatives: () => [
    'a fragment was lost before it came here: then that drop, where it is recorded, is the cause',
    'a firewall or load balancer on the way that lets only first fragments pass, since others have no ports',
    'more fragments at once than there is memory for (ipfrag_high_thresh)',
  ],
  advice: ({ claim: { place } }, known) => [
    { text: 'the counters of reassembly', command: inside(place, "nstat -az 'IpReasm*' 'Ip6Reasm*' 'IpFrag*'", known) },
    {
      text: 'bounds of it',
      command: inside(place, 'sysctl net.ipv4.ipfrag_high_thresh net.ipv4.ipfrag_time net.ipv4.ipfrag_max_dist', known),
    },
    { text: 'at the sender: packets that fit the path need no fragments', command: 'tracepath -n DESTINATION' },
  ],
});
