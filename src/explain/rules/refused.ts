import { dropRule } from './drop-rule.ts';
import { flowWords, inside, netnsWords, packets } from './words.ts';

/** The TCP of the receiver took the segment for a wrong one. */
export const refused = dropRule({
  name: 'refused',
  reasons: [
    ...['TCP_INVALID_SEQUENCE', 'TCP_INVALID_ACK_SEQUENCE', 'TCP_ACK_UNSENT_DATA'],
    ...['TCP_RFC7323_PAWS', 'TCP_RFC7323_TW_PAWS', 'TCP_RFC7323_TSECR', 'TCP_FLAGS', 'TCP_INVALID_SYN', 'TCP_FASTOPEN'],
    ...['TCP_AUTH_HDR', 'TCP_MD5NOTFOUND', 'TCP_MD5UNEXPECTED', 'TCP_MD5FAILURE', 'TCP_AONOTFOUND'],
    ...['TCP_AOUNEXPECTED', 'TCP_AOKEYNOTFOUND', 'TCP_AOFAILURE', 'TCP_OLD_ACK', 'TCP_TOO_OLD_ACK'],
  ],
  title: (group, known) =>
    `TCP ${netnsWords(group.claim.place, known)} refused ${packets(group)}${flowWords(group, known)}: ${group.claim.place.reason}`,
  alternatives: ({ claim: { place } }) =>
    /MD5|AO/.test(place.reason ?? '')
      ? ['the two ends do not have the same key']
      : [
          'a device on the way that changes sequence numbers or time stamps',
          'packets of an earlier connection with the same ports, or forged ones',
        ],
  advice: ({ claim: { place } }, known) => [
    { text: 'the counters that tell more', command: inside(place, 'nstat -az', known) },
    { text: 'the state of the connections', command: inside(place, 'ss -tnoi', known) },
  ],
});
