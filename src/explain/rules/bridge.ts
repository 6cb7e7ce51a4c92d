import { dropRule } from './drop-rule.ts';
import { flowWords, inside, netnsWords, packets } from './words.ts';

const WHY: Readonly<Record<string, string>> = {
  NO_TX_TARGET:
    'no port is there to take them: the one that leads there is down or blocked, or nothing is known of the address',
  BRIDGE_INGRESS_STP_STATE: 'they came in by a port that is blocked (spanning tree, or by hand)',
  ARP_PVLAN_DISABLE: 'the port is one of a private VLAN, and answers no ARP',
};

/** A bridge had no port that could or may take them. */
export const bridge = dropRule({
  name: 'bridge',
  reasons: Object.keys(WHY),
  places: [
    ...['br_handle_frame', 'br_handle_frame_finish', 'br_dev_xmit', 'br_pass_frame_up', 'br_allowed_ingress'],
    ...['br_forward', '__br_forward', 'br_flood', 'br_multicast_flood', 'br_handle_vlan', 'br_dev_queue_push_xmit'],
  ],
  title: (group, known) => {
    const { place } = group.claim;
    const port = place.device === undefined ? '' : ` from its port ${place.device}`;
    return `the bridge ${netnsWords(place, known)} had no way on for ${packets(group)}${flowWords(group, known)}${port}`;
  },
  restsOn: ({ claim: { place } }) => {
    const why = WHY[place.reason ?? ''];
    return why === undefined ? [] : [why];
  },
  alternatives: ({ claim: { place } }) => [
    ...(place.reason === 'BRIDGE_INGRESS_STP_STATE'
      ? ['a second link that spanning tree keeps in reserve: then it does what it is for']
      : ['ports that are isolated from each other, or a VLAN that the port does not carry']),
    'the address is known at a wrong port (a host that moved, or two with one address)',
  ],
  advice: ({ claim: { place } }, known) => [
    { text: 'ports: state, isolated, flood, learning', command: inside(place, 'bridge -d link show', known) },
    { text: 'which address is known at which port', command: inside(place, 'bridge fdb show', known) },
    { text: 'which port carries which VLAN', command: inside(place, 'bridge vlan show', known) },
  ],
});
