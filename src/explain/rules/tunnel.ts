import { dropRule } from './drop-rule.ts';
import { flowWords, inside, packets, placeWords } from './words.ts';

const WHY: Readonly<Record<string, string>> = {
  VXLAN_VNI_NOT_FOUND: 'no VXLAN device has their network number (VNI)',
  VXLAN_INVALID_HDR: 'their VXLAN header is wrong',
  VXLAN_ENTRY_EXISTS: 'the forwarding table knows the address at another place, for good',
  TUNNEL_TXINFO: 'nothing told the device where its other end is',
  IP_TUNNEL_ECN: 'the congestion marks inside and outside contradict each other',
};

/** Packets of a tunnel that was not set up alike at both ends. */
export const tunnel = dropRule({
  name: 'tunnel',
  reasons: Object.keys(WHY),
  title: (group, known) =>
    `${packets(group)} of a tunnel${flowWords(group, known)} dropped ${placeWords(group.claim.place, known)}: ${WHY[group.claim.place.reason ?? '']}`,
  alternatives: () => ['a tunnel that this host should not get at all: the other end has a wrong remote address'],
  advice: ({ claim: { place } }, known) => [
    {
      text: 'tunnels here, to be compared with those of the other end',
      command: inside(place, 'ip -d link show type vxlan', known),
    },
    { text: 'which address is known behind which end', command: inside(place, 'bridge fdb show', known) },
  ],
});
