import { functionOf } from '../../wire/drop-class.ts';
import { dropRule } from './drop-rule.ts';
import { flowWords, inside, packets, placeWords } from './words.ts';

const FORWARDERS = ['ip_forward', 'ip6_forward'];

/** Packets too big for the next link, which may not be cut: large ones are lost while small ones pass. */
export const pathMtu = dropRule({
  name: 'path-mtu',
  reasons: ['PKT_TOO_BIG'],
  places: ['ip_fragment', 'ip6_fragment'],
  only: (drop) => drop.reason === 'PKT_TOO_BIG' || !FORWARDERS.includes(functionOf(drop.location)),
  title: (group, known) =>
    `${packets(group)}${flowWords(group, known)} too big for the next link ${placeWords(group.claim.place, known)}`,
  restsOn: ({ resent }) =>
    resent > 0 ? ['the sender sent them again as large as before: it has not learnt the path MTU by then'] : [],
  alternatives: () => [
    'the ICMP message "fragmentation needed" is filtered on its way back, so that the sender never learns it',
  ],
  advice: ({ claim: { place } }, known) => [
    { text: 'the MTU of each link here', command: inside(place, 'ip link show', known) },
    { text: 'at the sender: find the largest packet that passes', command: 'tracepath -n DESTINATION' },
    { text: 'at the sender: let TCP find it without ICMP', command: 'sysctl -w net.ipv4.tcp_mtu_probing=1' },
    {
      text: 'here: cap the segment size of what passes',
      command: inside(
        place,
        'iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu',
        known,
      ),
    },
  ],
});
