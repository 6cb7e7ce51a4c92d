import { dropRule } from './drop-rule.ts';
import { flowWords, inside, packets, placeWords } from './words.ts';

/** Packets that arrived damaged. */
export const checksum = dropRule({
  name: 'checksum',
  reasons: ['TCP_CSUM', 'UDP_CSUM', 'IP_CSUM', 'ICMP_CSUM', 'SKB_CSUM'],
  title: (group, known) =>
    `${packets(group)}${flowWords(group, known)} arrived damaged ${placeWords(group.claim.place, known)}: wrong checksum`,
  alternatives: () => [
    'a faulty cable, port, switch or memory on the way',
    'checksum offload that goes wrong: a tunnel, bridge or virtual device that passes packets on before the checksum was filled in',
  ],
  advice: ({ claim: { place } }, known) => [
    { text: 'the counters InCsumErrors', command: inside(place, "nstat -az '*Csum*'", known) },
    {
      text: 'errors of the device',
      command: inside(place, `ip -s -s link show${place.device ? ` dev ${place.device}` : ''}`, known),
    },
    {
      text: 'see what is offloaded; try without',
      command: inside(place, `ethtool -k ${place.device ?? 'DEVICE'}`, known),
    },
  ],
});
