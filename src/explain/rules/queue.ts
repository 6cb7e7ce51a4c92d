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

/**
 * A device without a link has a queue that takes nothing, and counts that as the device's own (noop_enqueue(), net/sched/sch_generic.c);
 * what a queue drops that is full is in no counter of the device.
 */
const hasNoLink = ({ agreed, drops }: Group): boolean => agreed.of('tx_dropped') * 2 > drops;

const ofLink = (group: Group): string[] =>
  hasNoLink(group) ? ['the device counted them too (tx_dropped), as it does while it has no link'] : [];

function advice(group: Group, known: Known): Advice[] {
  const { place } = group.claim;
  const device = place.device === undefined ? '' : ` dev ${place.device}`;
  if (hasNoLink(group)) {
    return [
      {
        text: 'is it up now: NO-CARRIER, LOWERLAYERDOWN',
        command: inside(place, `ip -d -s link show${device}`, known),
      },
      { text: 'when did the link go', command: 'journalctl -k --since -1h | grep -iE "link is|carrier"' },
    ];
  }
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

const alternatives = (group: Group): string[] =>
  hasNoLink(group)
    ? ['the cable, the switch, or the other end of a veth pair is down']
    : [
        'a shaper that drops on purpose (tbf, htb, cake, a policer): then its rate is as it was set',
        'a device without a link, whose queue takes nothing',
      ];

const dropped = (group: Group, known: Known): string =>
  `${packets(group)}${processWords(group)}${flowWords(group, known)} dropped`;

const withoutLink = (group: Group, known: Known): string =>
  `no link ${placeWords(group.claim.place, known)}: ${dropped(group, known)}`;

const onTheWay = dropRule({
  name: 'queue',
  what: 'queue',
  reasons: REASONS,
  places: PLACES,
  title: (group, known) =>
    hasNoLink(group)
      ? withoutLink(group, known)
      : `the send queue ${placeWords(group.claim.place, known)} was full: ${dropped(group, known)} on the way`,
  restsOn: ofLink,
  alternatives,
  advice,
});

/** A queueing discipline on the way had no room: this host forwards faster than the device or its shaper lets through. */
export const queue: Rule = { ...onTheWay, isCountedOut: true };

const ofDrops = dropRule({
  name: 'local-queue',
  what: 'queue',
  reasons: REASONS,
  places: PLACES,
  only: isSent,
  title: (group, known) => {
    const where = placeWords(group.claim.place, known);
    if (hasNoLink(group)) return withoutLink(group, known);
    if (group.drops > 0) return `the sender's own queue ${where} was full: ${dropped(group, known)}`;
    return `${plural(group.segments, 'segment')}${processWords(group)}${flowWords(group, known)} stuck in the sender's own queue ${where}`;
  },
  restsOn: (group) => [
    ...ofLink(group),
    ...told(group.failed.of('NET_XMIT_DROP'), 'the queue refused the retransmission too (NET_XMIT_DROP)'),
    ...told(group.failed.of('EBUSY'), "the original still sat in this host's own queue (EBUSY): nothing was lost yet"),
  ],
  alternatives,
  advice,
});

const told = (count: number, text: string): string[] => (count === 0 ? [] : [`${plural(count, 'time')} ${text}`]);

/** The sender's own queueing discipline had no room, or held the original for longer than the timeout. */
export const localQueue: Rule = {
  ...ofDrops,
  isCountedOut: true,
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
