import type { Grown } from '../facts.ts';
import type { Group } from '../group.ts';
import { placeOf } from './place.ts';
import type { Claim, Known, Rule } from './rule.ts';
import { inside, netnsWords, plural } from './words.ts';

function claimOf(grown: Grown): Claim {
  const { listener, counter, queue, backlog, synQueue } = grown;
  const note = [
    queue === undefined ? '' : `its accept queue held ${queue} of ${backlog ?? '?'}`,
    synQueue === undefined ? '' : `${synQueue} connections were not established yet`,
  ].filter(Boolean);
  return {
    place: placeOf(grown),
    ...(listener === undefined ? {} : { peer: listener }),
    sureness: listener === undefined || counter === 'ListenDrops' ? 'likely' : 'certain',
    ...(note.length === 0 ? {} : { note: `when it was looked at, ${note.join(', ')}` }),
  };
}

function restsOn(group: Group): string[] {
  const counters = group.counters.top(3).map(([name, count]) => `the kernel counted ${name} +${Math.round(count)}`);
  const resent =
    group.resent === 0
      ? []
      : [
          `${plural(group.resent, 'SYN or SYN-ACK', 'SYNs and SYN-ACKs')} of this port ${group.resent === 1 ? 'was' : 'were'} sent again at that time`,
        ];
  return [...counters, ...group.notes.top(2).map(([text]) => text), ...resent];
}

const where = ({ claim: { peer, place } }: Group, known: Known): string =>
  `${peer === undefined ? 'a listener' : known.flows.endpointText(peer)} ${netnsWords(place, known)}`;

/** The accept queue of a listener was full: the program accepts too slowly, or its backlog is small. */
export const acceptQueue: Rule = {
  name: 'accept-queue',
  counter: (grown) =>
    grown.counter === 'ListenOverflows' || grown.counter === 'ListenDrops' ? claimOf(grown) : undefined,
  resent: ({ listen }) => (listen && listen.counter !== 'TCPReqQFullDrop' ? claimOf(listen) : undefined),
  describe: (group, known) => ({
    title: `the accept queue of ${where(group, known)} was full: ${plural(group.grown, 'connection attempt')} ignored`,
    restsOn: restsOn(group),
    alternatives: ['a burst that the program would have caught up with: then a longer queue is enough'],
    advice: [
      {
        text: 'Recv-Q (waiting) against Send-Q (the most that may wait)',
        command: inside(group.claim.place, 'ss -ltnp', known),
      },
      {
        text: 'the backlog is what the program gives to listen(), and no more than',
        command: inside(group.claim.place, 'sysctl net.core.somaxconn', known),
      },
      { text: 'is the program short of CPU, or blocked', command: 'top -H' },
    ],
  }),
};

/** The SYN queue of a listener was full: a flood, or clients that do not finish the handshake. */
export const synQueue: Rule = {
  name: 'syn-queue',
  counter: (grown) => (/^TCPReqQFull/.test(grown.counter) ? claimOf(grown) : undefined),
  resent: ({ listen }) => (listen?.counter === 'TCPReqQFullDrop' ? claimOf(listen) : undefined),
  describe: (group, known) => ({
    title: `the SYN queue of ${where(group, known)} was full: ${plural(group.grown, 'SYN')} ${group.counters.of('TCPReqQFullDrop') > 0 ? 'ignored' : 'answered with cookies'}`,
    restsOn: restsOn(group),
    alternatives: ['a SYN flood', 'answers that do not reach the clients, so that their handshakes stay open'],
    advice: [
      {
        text: 'handshakes that wait, by peer',
        command: inside(
          group.claim.place,
          "ss -tn state syn-recv | awk '{print $4}' | sort | uniq -c | sort -rn | head",
          known,
        ),
      },
      {
        text: 'bounds, and whether SYN cookies step in',
        command: inside(
          group.claim.place,
          'sysctl net.ipv4.tcp_syncookies net.ipv4.tcp_max_syn_backlog net.core.somaxconn',
          known,
        ),
      },
    ],
  }),
};
