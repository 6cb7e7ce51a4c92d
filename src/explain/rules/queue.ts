import type { Dropped } from '../facts.ts';
import type { Group } from '../group.ts';
import type { Advice } from '../types.ts';
import { dropRule } from './drop-rule.ts';
import { senderPlace } from './place.ts';
import type { Known, Rule } from './rule.ts';
import { isRare, isVanishing } from './trifle.ts';
import { flowWords, inside, packets, placeWords, plural, processWords } from './words.ts';

const REASONS = [
  ...['QDISC_DROP', 'QDISC_OVERLIMIT', 'QDISC_CONGESTED', 'CAKE_FLOOD', 'DUALPI2_STEP_DROP'],
  ...['FQ_BAND_LIMIT', 'FQ_HORIZON_LIMIT', 'FQ_FLOW_LIMIT'],
];
const PLACES = [
  '__dev_queue_xmit',
  'tbf_segment',
  'pfifo_enqueue',
  'bfifo_enqueue',
  'fq_codel_dequeue',
  'sch_direct_xmit',
];

const isSent = ({ direction }: Dropped): boolean => direction === 'tx';

function advice({ claim: { place } }: Group, known: Known): Advice[] {
  const device = place.device === undefined ? '' : ` dev ${place.device}`;
  return [
    {
      text: 'compare dropped, overlimits and backlog of the queue with its limit and rate',
      command: inside(place, `tc -s qdisc show${device}`, known),
    },
    {
      text: 'see what the device carries, and whether it is at its limit',
      command: inside(place, `ip -s link show${device}`, known),
    },
  ];
}

const alternatives = (): string[] => [
  'a shaper that drops on purpose (tbf, htb, cake, a policer): then its rate is as it was set',
];

/** A queueing discipline on the way had no room: this host forwards faster than the device or its shaper lets through. */
export const queue = dropRule({
  name: 'queue',
  what: 'queue',
  reasons: REASONS,
  places: PLACES,
  title: (group, known) =>
    `the send queue ${placeWords(group.claim.place, known)} was full: ${packets(group)}${processWords(group)}${flowWords(group, known)} dropped on the way`,
  alternatives,
  advice,
});

const ofDrops = dropRule({
  name: 'local-queue',
  what: 'queue',
  reasons: REASONS,
  places: PLACES,
  only: isSent,
  title: (group, known) =>
    group.drops > 0
      ? `the sender's own queue ${placeWords(group.claim.place, known)} was full: ${packets(group)}${processWords(group)}${flowWords(group, known)} dropped`
      : `${plural(group.segments, 'segment')}${processWords(group)}${flowWords(group, known)} stuck in the sender's own queue ${placeWords(group.claim.place, known)}`,
  restsOn: ({ failed }) => [
    ...told(failed.of('NET_XMIT_DROP'), 'the queue refused the retransmission too (NET_XMIT_DROP)'),
    ...told(failed.of('EBUSY'), "the original still sat in this host's own queue (EBUSY): nothing was lost yet"),
  ],
  alternatives,
  advice,
});

const told = (count: number, text: string): string[] => (count === 0 ? [] : [`${plural(count, 'time')} ${text}`]);

/** The sender's own queueing discipline had no room, or held the original for longer than the timeout. */
export const localQueue: Rule = {
  ...ofDrops,
  resent({ fact }) {
    const { failed } = fact;
    if (failed !== 'NET_XMIT_DROP' && failed !== 'EBUSY') return undefined;
    return { place: { ...senderPlace(fact), reason: failed, direction: 'tx' }, what: 'queue', sureness: 'certain' };
  },
  /** Nothing was lost, and nothing sent; a softirq that takes many acknowledgements at once sends only after the last. */
  isHarmless({ drops, resent, segments, failed, connections }, sent) {
    if (drops > 0 || failed.of('EBUSY') < resent) return false;
    return isVanishing(segments, sent) || isRare(resent, connections.size);
  },
};
