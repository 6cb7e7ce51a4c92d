/** All rules, in the order in which they are asked: the first that claims a case has it. */

import { ackLost } from './ack-lost.ts';
import { address } from './address.ts';
import { bridge } from './bridge.ts';
import { checksum } from './checksum.ts';
import { closedPort, noConnection } from './closed-port.ts';
import { cpuBacklog } from './cpu-backlog.ts';
import { device, otherCounter } from './device.ts';
import { firewall } from './firewall.ts';
import { fragment } from './fragment.ts';
import { handshake } from './handshake.ts';
import { link } from './link.ts';
import { acceptQueue, synQueue } from './listen-queue.ts';
import { neighbour } from './neighbour.ts';
import { otherDrop } from './other-drop.ts';
import { otherHost } from './other-host.ts';
import { outside } from './outside.ts';
import { pathMtu } from './path-mtu.ts';
import { peerSilent } from './peer-silent.ts';
import { localQueue, queue } from './queue.ts';
import { receiver } from './receiver.ts';
import { refused } from './refused.ts';
import { reset } from './reset.ts';
import { reversePath } from './reverse-path.ts';
import { route } from './route.ts';
import type { Rule } from './rule.ts';
import { spurious } from './spurious.ts';
import { trafficControl } from './traffic-control.ts';
import { ttl } from './ttl.ts';
import { tunnel } from './tunnel.ts';
import { unknown } from './unknown.ts';

/** Rules of a place that drops. */
const places: readonly Rule[] = [
  ...[firewall, trafficControl, localQueue, queue, pathMtu, ttl, route, neighbour, reversePath, address],
  ...[otherHost, bridge, link, tunnel, fragment, checksum],
  ...[receiver, cpuBacklog, closedPort, noConnection, refused, otherDrop],
];

export const rules: readonly Rule[] = [
  ackLost(places),
  ...places,
  ...[acceptQueue, synQueue, spurious, peerSilent, handshake, outside, unknown],
  ...[reset, device, otherCounter],
];
