import type { Reset } from '../facts.ts';
import { addressOf } from '../flows.ts';
import type { Group } from '../group.ts';
import type { Place } from '../types.ts';
import { peerWords, placeOf } from './place.ts';
import type { Rule } from './rule.ts';
import { inside, netnsWords, plural, processWords } from './words.ts';

/** What the kernel's reasons mean (include/net/rstreason.h). */
const MEANING: Readonly<Record<string, string>> = {
  TCP_ABORT_ON_CLOSE: 'the program closed the connection, or ended, before it had read all that had come',
  TCP_ABORT_ON_DATA: 'data came for a connection that the program had closed',
  TCP_ABORT_ON_LINGER: 'the program had closed the connection and did not want to wait for the other end (TCP_LINGER2)',
  TCP_ABORT_ON_MEMORY: 'too many orphaned connections, or no memory for them (tcp_max_orphans, tcp_mem)',
  TCP_KEEPALIVE_TIMEOUT: 'the other end did not answer keepalives',
  TCP_STATE:
    'the program broke it off on purpose (close() with SO_LINGER and a time of zero, or connect() to AF_UNSPEC)',
  TCP_TIMEWAIT_SOCKET: 'packets came for a connection that had ended (TIME_WAIT)',
  TCP_DISCONNECT_WITH_DATA: 'the program disconnected while data was on its way',
  NO_SOCKET: 'packets came for a connection that is not there',
};

const resetPlace = (fact: Reset): Place => placeOf(fact, { reason: fact.reason, direction: fact.direction });

function title(group: Group, who: string): string {
  return `${plural(group.connections.size, 'connection')}${processWords(group)} ended by a RST ${who}`;
}

/** A connection that was ended by a RST: who sent it, and why. */
export const reset: Rule = {
  name: 'reset',
  reset({ fact, other }, { flows }) {
    if (fact.flow === undefined) return { place: resetPlace(fact), sureness: 'possible' };
    // what both ends recorded is told as of the one that sent it
    const sender = fact.direction === 'sent' ? fact : other;
    const place = resetPlace(sender ?? fact);
    const address = addressOf(sender ? flows.source(sender.flow as number) : flows.destination(fact.flow));
    return { place, peer: address, sureness: sender?.reason === undefined ? 'likely' : 'certain' };
  },
  describe(group, known) {
    const { place } = group.claim;
    const peer = peerWords(group, known);
    if (place.direction === 'received') {
      return {
        title: title(group, `that came from ${peer} (${netnsWords(place, known)})`),
        restsOn: ['the RST was received here, and its sender is not among what is recorded'],
        alternatives: [
          'the program at the other end closed, crashed or was restarted',
          'a firewall or load balancer on the way sent it in the name of the other end (after an idle timeout, say)',
        ],
        advice: [{ text: 'record on the other end too: it tells whether it sent the RST, and why' }],
      };
    }
    const meaning = MEANING[place.reason ?? ''];
    return {
      title: title(group, `sent by ${peer} ${netnsWords(place, known)}${meaning === undefined ? '' : `: ${meaning}`}`),
      restsOn: [
        place.reason === undefined
          ? 'the kernel here sent it, and gives no reason'
          : `the kernel here sent it; its reason is ${place.reason}`,
      ],
      alternatives: [],
      advice: [
        {
          text: 'has the program ended or been killed',
          command: 'journalctl -k --since -1h | grep -iE "killed process|segfault"',
        },
        {
          text: 'what the kernel counted',
          command: inside(place, "nstat -az 'TcpExtTCPAbort*' TcpOutRsts TcpEstabResets", known),
        },
      ],
    };
  },
};
