/** Which drop explains which retransmission. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIp } from '../base/ip.ts';
import type { DropEvent, Event, RetransmitEvent } from '../event/kinds.ts';
import { at, drop, droppedAck, resent, why } from './why.test-util.ts';

const FIREWALL = 'firewall certain';
const ip = (text: string): Uint8Array => parseIp(text) as Uint8Array;

test('the drop of the same bytes, before', (t) => {
  assert.deepEqual(why(t, [drop(0), resent(200)]), [`${FIREWALL} 1R 1D`]);
});

test('no drop of other bytes, another connection, a later time or another end', (t) => {
  const others = [
    drop(0, { seq: 2000, endSeq: 3000 }),
    drop(0, { seq: 0, endSeq: 1000 }),
    drop(0, { sport: 40001, seq: 900, endSeq: 1900 }),
    drop(0, { dst: ip('10.0.0.8'), seq: 900, endSeq: 1900 }),
    drop(300),
  ];
  for (const other of others) {
    const verdicts = why(
      t,
      [other, resent(200)].sort((a, b) => Number(a.time - b.time)),
    );
    assert.ok(verdicts.includes('outside likely 1R'), `${verdicts}`);
    assert.ok(verdicts.includes(`${FIREWALL} 1D`), `${verdicts}`);
  }
});

test('one drop explains one sending again; the next one needs the drop of the first', (t) => {
  const once = [drop(0), resent(200), resent(600)];
  assert.deepEqual(why(t, once), [`${FIREWALL} 1R 1D`, 'outside likely 1R']);
  assert.deepEqual(
    why(
      t,
      [...once, drop(201)].sort((a, b) => Number(a.time - b.time)),
    ),
    [`${FIREWALL} 2R 2D`],
  );
});

test('a retransmission that was itself dropped before its own record was written is not its own explanation', (t) => {
  assert.deepEqual(why(t, [drop(199.99), resent(200, { failed: 'EPERM' })]).includes('firewall certain 1R 1D'), false);
  const [first] = why(t, [drop(0), drop(199.995), resent(200), resent(600)]);
  assert.equal(first, `${FIREWALL} 2R 2D`);
});

test('a GSO packet explains each of its segments once, wherever the sequence numbers wrap', (t) => {
  const begin = 2 ** 32 - 1500;
  const part = (i: number, ms: number) =>
    resent(ms, { seq: (begin + i * 1000) % 2 ** 32, endSeq: (begin + (i + 1) * 1000) % 2 ** 32, cause: 'fast' });
  const dropped = drop(0, { seq: begin, endSeq: 1500 });
  const parts = [part(0, 1), part(1, 2), part(2, 3)];
  assert.deepEqual(why(t, [dropped, ...parts]), [`${FIREWALL} 3R 1D`]);
  assert.deepEqual(why(t, [dropped, ...parts, part(1, 50)]), [`${FIREWALL} 3R 1D`, 'outside likely 1R']);
});

test('several drops explain a retransmission that covers them', (t) => {
  const pieces = [drop(0, { seq: 1000, endSeq: 1500 }), drop(1, { seq: 1500, endSeq: 1700 })];
  assert.deepEqual(why(t, [...pieces, resent(200)]), [`${FIREWALL} 1R 2D`]);
});

test('a dropped acknowledgement of all of it', (t) => {
  assert.deepEqual(why(t, [droppedAck(10, 2000), resent(200)]), ['ack-lost certain 1R 1D']);
  assert.deepEqual(why(t, [droppedAck(10, 5000), resent(200)]), ['ack-lost certain 1R 1D']);
  assert.deepEqual(why(t, [droppedAck(10, 1999), resent(200)]), ['outside likely 1R', 'ack-lost certain 1D']);
  // sent again after that acknowledgement was lost: it explains the first only
  assert.deepEqual(why(t, [droppedAck(10, 2000), resent(200), resent(600)]), [
    'ack-lost certain 1R 1D',
    'outside likely 1R',
  ]);
});

test('benign drops explain nothing, but a second copy at the receiver shows that nothing was lost', (t) => {
  const copy = drop(201, { reason: 'TCP_OLD_DATA', class: 'benign', location: 'tcp_data_queue+0x1' });
  assert.deepEqual(why(t, [drop(0, { class: 'benign', reason: 'QUEUE_PURGE' }), resent(200)]), ['outside likely 1R']);
  assert.deepEqual(why(t, [resent(200), copy]), ['spurious certain 1R']);
  const late = drop(201, { reason: 'TCP_RFC7323_PAWS', location: 'tcp_validate_incoming+0x1' });
  assert.deepEqual(why(t, [resent(200), late]), ['spurious certain 1R']);
  assert.deepEqual(why(t, [late]), ['refused certain 1D']);
  assert.deepEqual(why(t, [resent(200), { ...copy, seq: 5000, endSeq: 6000 }]), ['outside likely 1R']);
  assert.deepEqual(why(t, [resent(200), { ...copy, time: at(1500) }]), ['outside likely 1R']);
});

test('second copies that are cut or put together on the way, each byte once', (t) => {
  const copy = (ms: number, seq: number, endSeq: number): DropEvent =>
    drop(ms, { reason: 'TCP_OFO_DROP', class: 'benign', location: 'tcp_ofo_queue+0x1', seq, endSeq });
  const part = (ms: number, seq: number, endSeq: number) => resent(ms, { seq, endSeq, cause: 'fast' });
  const parts = [part(1, 1000, 2000), part(2, 2000, 3000), part(3, 3000, 4000)];
  assert.deepEqual(why(t, [...parts, copy(4, 1000, 4000)]), ['spurious certain 3R']);
  const late = (ms: number, seq: number, endSeq: number): DropEvent =>
    drop(ms, { reason: 'TCP_RFC7323_PAWS', location: 'tcp_validate_incoming+0x1', seq, endSeq });
  const whole = part(1, 1000, 3000);
  assert.deepEqual(why(t, [whole, late(2, 1000, 2000), late(3, 2000, 3000)]), ['spurious certain 1R']);
  assert.deepEqual(why(t, [whole, part(5, 1000, 3000), copy(6, 1000, 2000), copy(7, 2000, 3000)]).sort(), [
    'outside likely 1R',
    'spurious certain 1R',
  ]);
  const many = Array.from({ length: 500 }, (_, i) => part(1 + i / 100, 1000 * i, 1000 * (i + 1)));
  const copies = many.map(({ seq, endSeq }, i) => copy(10 + i / 100, seq as number, endSeq as number));
  assert.deepEqual(why(t, [...many, ...copies]), ['spurious certain 500R']);
});

test('copy after copy that had arrived, each after a timeout: the acknowledgements do not come back', (t) => {
  const copy = (ms: number) => drop(ms, { reason: 'TCP_OLD_DATA', class: 'benign', location: 'tcp_data_queue+0x1' });
  const timeouts = [resent(200), copy(200.1), resent(600), copy(600.1), resent(1400), copy(1400.1)];
  assert.deepEqual(why(t, timeouts), ['ack-lost likely 2R', 'spurious certain 1R']);
  const fast = { cause: 'fast' } as const;
  assert.deepEqual(why(t, [resent(200, fast), copy(200.1), resent(201, fast), copy(201.1)]), ['spurious certain 2R']);
  const other = { seq: 9000, endSeq: 9500 };
  const apart = [resent(200), copy(200.1), resent(600, other), { ...copy(600.1), ...other }];
  assert.deepEqual(why(t, apart), ['spurious certain 2R']);
});

test('behind NAT: the same sequence number, and one end or the port of the source as it was', (t) => {
  const behind = { src: ip('192.0.2.1'), dst: ip('10.1.0.5'), dport: 8443 };
  assert.deepEqual(why(t, [drop(0, behind), resent(200)]), [`${FIREWALL} 1R 1D`]);
  assert.deepEqual(why(t, [drop(0, { src: ip('192.0.2.1'), sport: 1024 }), resent(200)]), [`${FIREWALL} 1R 1D`]);
  const begun = [drop(0, behind), resent(200)];
  const later = [drop(300, { ...behind, seq: 2000, endSeq: 9000 }), resent(500, { seq: 3000, endSeq: 4000 })];
  assert.deepEqual(why(t, [...begun, ...later]), [`${FIREWALL} 2R 2D`]);
  assert.deepEqual(why(t, later), ['outside likely 1R', `${FIREWALL} 1D`].sort().reverse());
  const stranger = { src: ip('192.0.2.1'), sport: 1024, dst: ip('10.1.0.5'), dport: 8443 };
  assert.ok(why(t, [drop(0, stranger), resent(200)]).includes('outside likely 1R'));
});

/** Both ends and the port of the source are others. */
const TRANSLATED = { src: ip('192.0.2.1'), sport: 1024, dst: ip('10.1.0.5'), dport: 8443 };
const NAT = '10.0.0.1:40000>10.0.0.9:443 192.0.2.1:1024>10.1.0.5:8443';

test('behind NAT that changes everything: by what connection tracking says of the drop, whichever way it went', (t) => {
  assert.deepEqual(why(t, [drop(0, { ...TRANSLATED, nat: NAT }), resent(200)]), [`${FIREWALL} 1R 1D`]);
  const halfway = { ...TRANSLATED, src: ip('10.0.0.1'), sport: 40000, nat: NAT };
  assert.deepEqual(why(t, [drop(0, halfway), resent(200)]), [`${FIREWALL} 1R 1D`]);
  const back = { src: TRANSLATED.dst, sport: 8443, dst: TRANSLATED.src, dport: 1024 };
  const ofServer = resent(200, { ...back, netns: 2 });
  const { src, sport, dst, dport } = resent(0) as Required<RetransmitEvent>;
  const untranslated = { src: dst, sport: dport, dst: src, dport: sport, nat: NAT };
  assert.deepEqual(why(t, [drop(0, untranslated), ofServer]), [`${FIREWALL} 1R 1D`]);
  assert.deepEqual(why(t, [{ ...droppedAck(10, 2000), ...back, nat: NAT }, resent(200)]), ['ack-lost certain 1R 1D']);
  const names = NAT.replace('40000', '40001').replace('1024', '1025');
  const stranger = { ...TRANSLATED, sport: 1025, seq: 900, endSeq: 1900, nat: names };
  assert.ok(why(t, [drop(0, stranger), resent(200)]).includes('outside likely 1R'));
  assert.ok(why(t, [drop(0, { ...TRANSLATED, nat: 'no such text' }), resent(200)]).includes('outside likely 1R'));
});

test('what connection tracking said of a connection is known of its other drops', (t) => {
  const known = [drop(0, { ...TRANSLATED, nat: NAT }), resent(200)];
  const other = { seq: 5000, endSeq: 6000 };
  const atServer = drop(300, { ...TRANSLATED, ...other, netns: 3 });
  assert.deepEqual(why(t, [...known, atServer, resent(500, other)]), [`${FIREWALL} 1R 1D`, `${FIREWALL} 1R 1D`]);
});

test('behind NAT that changes everything, with no word of connection tracking: by both sequence numbers', (t) => {
  const acked = (ack: number) => drop(0, { ...TRANSLATED, ack });
  assert.deepEqual(why(t, [acked(70_000), resent(200, { ack: 70_500 })]), [`${FIREWALL} 1R 1D`]);
  for (const ack of [70_501, 70_500 - 65_536]) {
    const verdicts = why(t, [acked(ack >>> 0), resent(200, { ack: 70_500 })]);
    assert.ok(verdicts.includes('outside likely 1R'), `${verdicts}`);
  }
  const syn = { ...TRANSLATED, tcpFlags: 'SYN', seq: 77, endSeq: 78 };
  const again = resent(1000, { cause: 'syn', seq: 77, endSeq: 78, rtoMs: 1000 });
  assert.deepEqual(why(t, [drop(0, syn), again]), [`${FIREWALL} 1R 1D`]);
  assert.ok(why(t, [drop(700, syn), again]).includes('peer-silent likely 1R'));
});

test('the drop of an acknowledgement behind NAT that changes everything: by both sequence numbers', (t) => {
  const back = { src: TRANSLATED.dst, sport: 8443, dst: TRANSLATED.src, dport: 1024 };
  const lostAck = (ack: number, seq: number) => ({ ...droppedAck(10, ack), ...back, seq, endSeq: seq, netns: 3 });
  const again = resent(200, { ack: 70_500 });
  assert.deepEqual(why(t, [lostAck(2000, 70_500), again]), ['ack-lost certain 1R 1D']);
  assert.deepEqual(why(t, [lostAck(2000 + 65_535, 70_500), again]), ['ack-lost certain 1R 1D']);
  for (const stranger of [lostAck(1999, 70_500), lostAck(2000 + 65_536, 70_500), lostAck(2000, 70_501)]) {
    const verdicts = why(t, [stranger, again]);
    assert.ok(verdicts.includes('outside likely 1R'), `${verdicts}`);
  }
});

test('what was dropped after TCP began to send it is that retransmission itself, however long it took', (t) => {
  const fast = (ms: number, spentUs: number) => resent(ms, { cause: 'fast', spentUs });
  assert.deepEqual(why(t, [drop(199.985), fast(200, 14)]), [`${FIREWALL} 1R 1D`]);
  assert.deepEqual(why(t, [drop(199), fast(200, 1100)]), [`${FIREWALL} 1D`, 'outside likely 1R']);
  assert.deepEqual(why(t, [drop(0), drop(199), resent(200, { spentUs: 1100 }), resent(600)]), [`${FIREWALL} 2R 2D`]);
  // sent again by the ICMP message itself, which is no reason to look at the clock
  const tooBig = drop(199, { reason: 'PKT_TOO_BIG', location: 'ip_forward+0x1' });
  assert.deepEqual(why(t, [tooBig, resent(200, { cause: 'loss-recovery', spentUs: 1100 })]), [
    'path-mtu certain 1R 1D',
  ]);
});

test('a retransmission of which only the begin is known is joined by its first byte', (t) => {
  const { endSeq: _, ...begun } = resent(200);
  assert.deepEqual(why(t, [drop(0, { endSeq: 9000 }), begun]), [`${FIREWALL} 1R 1D`]);
  assert.deepEqual(why(t, [drop(0, { seq: 1001, endSeq: 9000 }), begun]), ['outside likely 1R', `${FIREWALL} 1D`]);
});

test('ports that no packet can have are none', (t) => {
  const impossible = { sport: 70_000, dport: -1 };
  assert.deepEqual(why(t, [drop(0, impossible), resent(200, impossible)]), [`${FIREWALL} 1R 1D`]);
});

test('a SYN by its drop, by the drop of its answer, and by neither', (t) => {
  const syn = { tcpFlags: 'SYN', seq: 77, endSeq: 78 };
  const again = resent(1000, { cause: 'syn', seq: 77, endSeq: 78, rtoMs: 1000 });
  const answer = drop(1, { ...droppedAck(1, 78), tcpFlags: 'SYN|ACK', seq: 5, endSeq: 6 });
  assert.deepEqual(why(t, [drop(0, syn), again]), [`${FIREWALL} 1R 1D`]);
  assert.deepEqual(why(t, [answer, again]), [`${FIREWALL} 1R 1D`]);
  assert.deepEqual(why(t, [again]), ['peer-silent likely 1R']);
});

test('a SYN-ACK that the server sent twice, by its timer and for the SYN that came again', (t) => {
  const server = { src: ip('10.0.0.9'), sport: 443, dst: ip('10.0.0.1'), dport: 40000 };
  const range = { ...server, seq: 5, endSeq: 6, tcpFlags: 'SYN|ACK', ack: 78 };
  const again = (ms: number) => resent(ms, { ...server, seq: 5, endSeq: 6, cause: 'syn-ack', netns: 2 });
  const syn = resent(1000.05, { cause: 'syn', seq: 77, endSeq: 78, rtoMs: 1000 });
  const refused = drop(1000.2, {
    ...range,
    reason: 'TCP_INVALID_SYN',
    location: 'tcp_validate_incoming+0x1',
    netns: 1,
  });
  const told = why(t, [drop(1, range), again(1000), syn, again(1000.1), refused]);
  assert.deepEqual(told, [`${FIREWALL} 2R 1D`, 'spurious certain 1R']);
  assert.deepEqual(why(t, [refused]), ['refused certain 1D']);
});

test('"outside" only where everything was seen', (t) => {
  const lost = { kind: 'coverage', time: at(150), from: at(100), until: at(150), state: 'lost', count: 7 } as const;
  assert.deepEqual(why(t, [resent(200)]), ['outside likely 1R']);
  assert.deepEqual(why(t, [lost, resent(200)]), ['unknown possible 1R']);
  assert.deepEqual(why(t, [lost, resent(20_000)]), ['outside likely 1R']);
  assert.deepEqual(why(t, [resent(200)], { recorded: 'no drops' }), ['unknown possible 1R']);
  assert.deepEqual(why(t, [resent(200)], { recorded: 'netns 1 2' }), ['outside likely 1R']);
  assert.deepEqual(why(t, [resent(-59_900)]), ['unknown possible 1R']);
});

const NO_NEXT_HOP = { reason: 'NEIGH_FAILED', location: 'neigh_invalidate+0x7e', direction: 'tx', netns: 1 } as const;

test('what waited for its next hop is dropped after it was to be sent again', (t) => {
  const stuck = [1000, 2000].map((ms) => resent(ms, { cause: 'syn', failed: 'EBUSY' }));
  assert.deepEqual(why(t, [...stuck, drop(3000, NO_NEXT_HOP)]), ['neighbour certain 2R 1D']);
  assert.deepEqual(why(t, [...stuck, drop(3000, { ...NO_NEXT_HOP, seq: 2000, endSeq: 3000 })]), [
    'neighbour certain 1D',
    'local-queue certain 2R',
  ]);
});

test('behind a router as many retransmissions are explained as copies waited, and the last copy is what comes next', (t) => {
  const copy = (ms: number): Event => drop(ms, { ...NO_NEXT_HOP, direction: 'forward', netns: 2 });
  const copies = [3000, 3000.01, 3000.02].map(copy);
  const before = [200, 600].map((ms) => resent(ms));
  assert.deepEqual(why(t, [...before, ...copies]), ['neighbour certain 2R 3D']);
  assert.deepEqual(why(t, [...before, ...copies, resent(3100)]), ['neighbour certain 3R 3D']);
  assert.deepEqual(why(t, [...before, copy(3000), resent(3100)]), ['outside likely 2R', 'neighbour certain 1R 1D']);
  // it was sent at the moment at which those before it were dropped
  assert.deepEqual(why(t, [resent(200), resent(2999.9), ...copies.slice(1)]), ['neighbour certain 2R 2D']);
});

test('a frame for another host explains only what nothing else does, and only where the connection is', (t) => {
  const misled = { reason: 'OTHERHOST', class: 'benign', location: 'ip_rcv_core+0x1', process: 'nginx' } as const;
  assert.deepEqual(why(t, [drop(0, misled), resent(200)]), ['other-host likely 1R 1D']);
  assert.deepEqual(why(t, [drop(0, misled)]), []);
  assert.deepEqual(why(t, [drop(0, misled), drop(1), resent(200)]), [`${FIREWALL} 1R 1D`]);
  const { process: _, ...ofNobody } = misled;
  assert.deepEqual(why(t, [drop(0, ofNobody), resent(200)]), ['outside likely 1R']);
});
