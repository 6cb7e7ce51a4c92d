import { addressOf } from '../flows.ts';
import { dropRule } from './drop-rule.ts';
import { flowWords, inside, packets, placeWords } from './words.ts';

/** Sent to the Ethernet address of another host. Such drops are benign, and come here only where they explain a retransmission. */
export const otherHost = dropRule({
  name: 'other-host',
  reasons: ['OTHERHOST'],
  sureness: 'likely',
  peer: (drop, { flows }) => (drop.flow === undefined ? undefined : addressOf(flows.destination(drop.flow))),
  title: (group, known) =>
    `${packets(group)}${flowWords(group, known)} came ${placeWords(group.claim.place, known)} in frames for another host: the sender, or the router before, has a wrong neighbour entry`,
  restsOn: () => ['their connection is here, but not the Ethernet address that they were sent to (OTHERHOST)'],
  alternatives: () => [
    'two hosts with one IP address, of which the other one answered ARP or neighbour discovery last',
    'an entry that was made by hand, or that outlived a move of the address (failover without gratuitous ARP)',
  ],
  advice: (group, known) => {
    const { place, peer } = group.claim;
    const address = peer === undefined ? 'ADDRESS' : known.flows.addressText(peer);
    const device = place.device ?? 'DEVICE';
    return [
      { text: 'the Ethernet address of this device', command: inside(place, `ip -br link show dev ${device}`, known) },
      {
        text: 'at the sender or the router before: which one is known there',
        command: `ip neigh show ${address}`,
      },
      {
        text: 'does another host answer for the address',
        command: inside(place, `arping -D -c 3 -I ${device} ${address}`, known),
      },
    ];
  },
});
