import { dropRule } from './drop-rule.ts';
import type { Rule } from './rule.ts';
import { flowWords, inside, packets, placeWords, processWords } from './words.ts';

const ofDrops = dropRule({
  name: 'link',
  reasons: ['DEV_READY'],
  places: ['__dev_forward_skb', '____dev_forward_skb', '__dev_forward_skb2', 'veth_xmit'],
  title: (group, known) =>
    `the other end of the device ${placeWords(group.claim.place, known)} took nothing: ${packets(group)}${processWords(group)}${flowWords(group, known)} dropped`,
  restsOn: ({ claim: { place } }) =>
    place.reason === 'DEV_READY'
      ? []
      : ['this place frees what the other end of a veth pair does not take: it is down or gone, or its MTU is smaller'],
  alternatives: () => ['the container, virtual machine or VPN at the other end is being stopped'],
  advice: ({ claim: { place } }, known) => [
    {
      text: 'state and MTU of the device; link-netns is where its other end is',
      command: inside(place, `ip -d -s link show${place.device ? ` dev ${place.device}` : ''}`, known),
    },
  ],
});

/** What a device was to pass on, and its other end, in another namespace or a program, did not take. */
export const link: Rule = { ...ofDrops, isCountedOut: true };
