import { dropRule } from './drop-rule.ts';
import { flowWords, inside, netnsWords, packets } from './words.ts';

/** What is wrong with them (enum skb_drop_reason); what is not told here the name of the reason tells. */
const WRONG: Readonly<Record<string, string>> = {
  TCP_MD5NOTFOUND: 'they carry no MD5 signature, and this end expects one',
  TCP_MD5UNEXPECTED: 'they carry an MD5 signature, and this end expects none',
  TCP_MD5FAILURE: 'their MD5 signature is wrong: the two ends have different keys',
  TCP_AONOTFOUND: 'they carry no TCP-AO signature, and this end expects one',
  TCP_AOUNEXPECTED: 'they carry a TCP-AO signature, and this end expects none',
  TCP_AOKEYNOTFOUND: 'this end has no TCP-AO key of that number',
  TCP_AOFAILURE: 'their TCP-AO signature is wrong: the two ends have different keys',
  TCP_RFC7323_PAWS: 'their time stamp is older than what came before',
  TCP_ACK_UNSENT_DATA: 'they acknowledge what was never sent',
};

const isOfKeys = (reason = ''): boolean => /MD5|_AO/.test(reason);

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
    `TCP ${netnsWords(group.claim.place, known)} refused ${packets(group)}${flowWords(group, known)}: ${WRONG[group.claim.place.reason ?? ''] ?? group.claim.place.reason}`,
  alternatives: ({ claim: { place } }) =>
    isOfKeys(place.reason)
      ? ['packets that somebody else forged']
      : [
          'a device on the way that changes sequence numbers or time stamps',
          'packets of an earlier connection with the same ports, or forged ones',
        ],
  advice: ({ claim: { place } }, known) =>
    isOfKeys(place.reason)
      ? [
          {
            text: 'the keys (in the clear) of sockets that listen or are connected, at both ends',
            command: inside(place, 'ss -tlani', known),
          },
          { text: 'the counters that tell more', command: inside(place, "nstat -az '*MD5*' '*TCPAO*'", known) },
        ]
      : [
          { text: 'the counters that tell more', command: inside(place, "nstat -az 'TcpExt*'", known) },
          { text: 'the state of the connections', command: inside(place, 'ss -tnoi', known) },
        ],
});
