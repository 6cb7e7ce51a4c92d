import type { Dropped } from '../facts.ts';
import type { Endpoint } from '../flows.ts';
import { packetKind } from '../packet-kind.ts';
import { dropPlace } from './drop-rule.ts';
import { peerWords, placeOf } from './place.ts';
import type { Known, Rule } from './rule.ts';
import { flowWords, inside, joinWords, netnsWords, plural, processWords } from './words.ts';

const isOpening = (drop: Dropped): boolean => ['SYN', 'udp'].includes(packetKind(drop));

const serviceOf = (drop: Dropped, { flows }: Known): { peer?: Endpoint } =>
  drop.flow === undefined ? {} : { peer: flows.destination(drop.flow) };

/** Somebody asked for a port at which nobody listens. */
export const closedPort: Rule = {
  name: 'closed-port',
  drop(drop, known) {
    if (drop.reason !== 'NO_SOCKET' || !isOpening(drop)) return undefined;
    return { place: dropPlace(drop), what: 'closed-port', ...serviceOf(drop, known), sureness: 'certain' };
  },
  /** The other end is not on this host: all that is known is its RST. */
  reset({ fact, other }, { flows }) {
    if (fact.direction !== 'received' || fact.state !== 'TCP_SYN_SENT' || other || fact.flow === undefined)
      return undefined;
    return {
      place: placeOf(fact, { direction: 'received' }),
      peer: flows.destination(fact.flow),
      sureness: 'likely',
    };
  },
  describe(group, known) {
    const { place } = group.claim;
    const isHere = place.direction !== 'received';
    const isMany = isHere && group.claim.peer === undefined;
    const peer = isMany ? 'several ports' : peerWords(group, known);
    const udp = group.kinds.of('udp');
    const what = udp > 0 ? plural(udp, 'UDP packet') : plural(group.connections.size, 'connection');
    return {
      title: isHere
        ? `nobody listens at ${peer} ${netnsWords(place, known)}: ${what} refused`
        : `${peer} refused ${what}${processWords(group)} (${netnsWords(place, known)})`,
      restsOn: isHere
        ? [
            'the kernel found no socket for them (NO_SOCKET) and answered with a RST or an ICMP message',
            ...joinWords(group),
          ]
        : ['a RST answered the SYN; the other end is not among what is recorded'],
      alternatives: isHere
        ? ['the service was not started yet, has crashed, or listens on another address']
        : ['a firewall on the way that rejects instead of dropping', 'the service was not started yet, or has crashed'],
      advice: [
        {
          text: isHere ? 'what does listen' : 'at the peer: what does listen',
          command: isHere ? inside(place, udp > 0 ? 'ss -lunp' : 'ss -ltnp', known) : 'ss -ltnp',
        },
      ],
    };
  },
};

/** Packets of a connection that is gone here: led to the wrong host, or late. */
export const noConnection: Rule = {
  name: 'no-connection',
  drop(drop) {
    if (drop.reason !== 'NO_SOCKET') return undefined;
    return { place: dropPlace(drop), what: 'no-connection', sureness: 'possible' };
  },
  describe(group, known) {
    const { place } = group.claim;
    return {
      title: `packets came ${netnsWords(place, known)} for connections that are not there${flowWords(group, known)}`,
      restsOn: ['the kernel found no socket for them (NO_SOCKET) and answered TCP with a RST', ...joinWords(group)],
      alternatives: [
        'the rest of connections that a program here has closed or that ended with it: then it is harmless',
        'packets that a load balancer, NAT or route led to the wrong host',
      ],
      advice: [
        { text: 'the connections that are there', command: inside(place, 'ss -tn', known) },
        { text: 'entries of connection tracking that lead here', command: inside(place, 'conntrack -L', known) },
      ],
    };
  },
};
