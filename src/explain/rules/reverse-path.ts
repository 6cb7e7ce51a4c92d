import { dropRule } from './drop-rule.ts';
import { flowWords, inside, packets, placeWords } from './words.ts';

/** Reverse path filtering: the answer to the source address would leave by another device. */
export const reversePath = dropRule({
  name: 'reverse-path',
  reasons: ['IP_RPFILTER'],
  title: (group, known) =>
    `reverse path filtering ${placeWords(group.claim.place, known)} dropped ${packets(group)}${flowWords(group, known)}: their source is not reached that way`,
  alternatives: () => ['spoofed source addresses: then it does what it is for'],
  advice: (group, known) => {
    const { place } = group.claim;
    const [peer] = group.peers.top(1);
    const source = peer && known.flows.addressText(peer[0]);
    return [
      ...(source === undefined
        ? []
        : [
            { text: 'where an answer to the source would go', command: inside(place, `ip route get ${source}`, known) },
          ]),
      {
        text: 'strict (1) drops it, loose (2) takes it; the higher of the two values counts',
        command: inside(
          place,
          `sysctl net.ipv4.conf.all.rp_filter${place.device ? ` net.ipv4.conf.${place.device}.rp_filter` : ''}`,
          known,
        ),
      },
    ];
  },
});
