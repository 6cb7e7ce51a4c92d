import { functionOf } from '../../wire/drop-class.ts';
import { dropRule } from './drop-rule.ts';
import { flowWords, inside, packets, placeWords } from './words.ts';

/** A router counted the hops down to zero. */
export const ttl = dropRule({
  name: 'ttl',
  reasons: ['IP_INHDR', 'TCP_MINTTL'],
  places: ['ip_forward', 'ip6_forward'],
  only: ({ reason, location }) =>
    reason === 'TCP_MINTTL' || ['ip_forward', 'ip6_forward'].includes(functionOf(location)),
  title: (group, known) =>
    `the hop limit of ${packets(group)}${flowWords(group, known)} ran out ${placeWords(group.claim.place, known)}`,
  alternatives: ({ claim: { place } }) =>
    place.reason === 'TCP_MINTTL'
      ? ['a socket that asks for a higher TTL of what it receives (IP_MINTTL, as BGP does)']
      : [
          'a routing loop: the packet passes here again and again',
          'traceroute or a program that sets a small TTL on purpose',
        ],
  advice: (group, known) => {
    const { place } = group.claim;
    const [first] = group.services.top(1);
    const target = first && first[0] >= 0 ? known.flows.addressText(first[0]) : undefined;
    return [
      ...(target === undefined
        ? []
        : [
            { text: 'look for a loop', command: inside(place, `traceroute -n ${target}`, known) },
            { text: 'and for the route that leads back', command: inside(place, `ip route get ${target}`, known) },
          ]),
      { text: 'rules that change the TTL', command: inside(place, 'iptables -t mangle -nvL', known) },
    ];
  },
});
