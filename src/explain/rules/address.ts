import { dropRule } from './drop-rule.ts';
import { flowWords, inside, packets, placeWords } from './words.ts';

/** What is wrong with the addresses (include/net/dropreason-core.h). */
const WRONG: Readonly<Record<string, string>> = {
  IP_LOCAL_SOURCE: 'their source is an address of this host itself',
  IP_INVALID_SOURCE: 'their source is no address of a host (a group, broadcast or zero)',
  IP_INVALID_DEST: 'their destination is no address (zero, or a group where none may be)',
  IP_LOCALNET: 'loopback addresses do not pass a link',
  MAC_INVALID_SOURCE: 'the Ethernet address that they come from is none of a host',
  UNICAST_IN_L2_MULTICAST: 'sent to one host, but in a frame for many',
};

/** Addresses that a packet must not have here ("martians"). */
export const address = dropRule({
  name: 'address',
  reasons: Object.keys(WRONG),
  title: (group, known) =>
    `${packets(group)}${flowWords(group, known)} dropped ${placeWords(group.claim.place, known)}: ${WRONG[group.claim.place.reason ?? '']}`,
  alternatives: ({ claim: { place } }) =>
    place.reason === 'IP_LOCAL_SOURCE'
      ? [
          'another machine has the same address (a clone, a static address that was given twice)',
          "this host's own packets, brought back by a loop, a mirror or a wrong NAT",
        ]
      : ['a wrong NAT or a wrong static address at the sender', 'forged addresses: then it does what it is for'],
  advice: (group, known) => {
    const { place } = group.claim;
    const [peer] = group.peers.top(1);
    const device = place.device ?? 'DEVICE';
    return [
      ...(place.reason === 'IP_LOCAL_SOURCE' && peer
        ? [
            {
              text: 'does another machine answer for this address',
              command: inside(place, `arping -D -c 3 -I ${device} ${known.flows.addressText(peer[0])}`, known),
            },
          ]
        : []),
      {
        text: 'the Ethernet addresses that they come from',
        command: inside(place, `tcpdump -eni ${device} -c 20`, known),
      },
      {
        text: 'have the kernel log such packets',
        command: inside(place, 'sysctl -w net.ipv4.conf.all.log_martians=1', known),
      },
    ];
  },
});
