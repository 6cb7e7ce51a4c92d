import { dropRule } from './drop-rule.ts';
import { placeOf } from './place.ts';
import type { Rule } from './rule.ts';
import { flowWords, inside, packets, placeWords } from './words.ts';

/** Packets came faster than a CPU could take them from its queue, or a virtual device's ring was full. */
const ofDrops = dropRule({
  name: 'cpu-backlog',
  reasons: ['CPU_BACKLOG', 'FULL_RING'],
  places: ['enqueue_to_backlog', 'tun_net_xmit'],
  title: (group, known) =>
    `${packets(group)}${flowWords(group, known)} came faster than they were taken ${placeWords(group.claim.place, known)}`,
  restsOn: ({ claim: { place } }) =>
    place.reason === 'FULL_RING'
      ? ['the ring of a tun or tap device was full: the virtual machine or VPN behind it is slow']
      : ['the receive queue of a CPU was full (net.core.netdev_max_backlog)'],
  advice: ({ claim: { place } }, known) => [
    { text: 'dropped and squeezed by CPU (columns 2 and 3)', command: 'cat /proc/net/softnet_stat' },
    { text: 'the length of the queue', command: 'sysctl net.core.netdev_max_backlog net.core.netdev_budget' },
    { text: 'CPUs that are busy with it', command: 'mpstat -P ALL 1 5' },
    ...(place.device === undefined
      ? []
      : [{ text: 'the device', command: inside(place, `ip -s link show dev ${place.device}`, known) }]),
  ],
});

export const cpuBacklog: Rule = {
  ...ofDrops,
  counter(grown) {
    if (!grown.counter.startsWith('softnet_')) return undefined;
    return {
      place: placeOf(grown, { reason: grown.counter }),
      sureness: grown.class === 'loss' ? 'certain' : 'possible',
    };
  },
};
