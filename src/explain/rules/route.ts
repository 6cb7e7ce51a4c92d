import type { Group } from '../group.ts';
import { dropRule } from './drop-rule.ts';
import type { Known } from './rule.ts';
import { flowWords, inside, packets, placeWords } from './words.ts';

/** The address that most of it went to. */
function target(group: Group, known: Known): string | undefined {
  const [first] = group.services.top(1);
  if (!first || first[0] < 0) return undefined;
  return known.flows.addressText(first[0]);
}

/** A blackhole, unreachable or prohibit route, or none at all. */
export const route = dropRule({
  name: 'route',
  reasons: ['IP_OUTNOROUTES', 'IP_INNOROUTES', 'IP_INADDRERRORS'],
  places: [
    'ip_error',
    'ip_rcv_finish_core',
    'dst_discard',
    'dst_discard_out',
    'ip_forward',
    'ip6_forward',
    'ip6_pkt_drop',
    'inet6_csk_xmit',
  ],
  title: (group, known) =>
    `no way on ${placeWords(group.claim.place, known)}: ${packets(group)}${flowWords(group, known)} met a blackhole, an unreachable route or none`,
  advice: (group, known) => {
    const { place } = group.claim;
    const address = target(group, known);
    const family = address?.includes(':') ? '-6 ' : '';
    return [
      ...(address === undefined
        ? []
        : [{ text: 'ask which route is taken', command: inside(place, `ip ${family}route get ${address}`, known) }]),
      {
        text: 'look for blackhole, unreachable and prohibit routes, and for a missing default route',
        command: inside(place, `ip ${family}route show table all`, known),
      },
      { text: 'and for rules that lead into another table', command: inside(place, `ip ${family}rule show`, known) },
      ...(place.direction === 'rx'
        ? [
            {
              text: 'a host that should forward must be allowed to',
              command: inside(place, 'sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding', known),
            },
          ]
        : []),
    ];
  },
});
