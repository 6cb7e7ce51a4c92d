import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { parseIp } from '../base/ip.ts';
import { NS_PER_S, wallNs } from '../base/time.ts';
import type { Event } from '../event/kinds.ts';
import { EPOCH } from '../store/arbitrary-event.test-util.ts';
import { temporaryDirectory } from '../store/temporary-store.test-util.ts';
import { type AnyJson, Site } from './serving.test-util.ts';

const at = (seconds: number) => wallNs(EPOCH + BigInt(seconds) * NS_PER_S);
const flow = { family: 'ipv4', src: parseIp('10.0.0.1'), sport: 40_001, dst: parseIp('10.0.0.2'), dport: 443 } as const;
const HOSTILE = '</script>\u001b]0;x\u0007"\n\u202e';

const EVENTS = [
  {
    kind: 'retransmit',
    time: at(0),
    ...flow,
    cause: 'rto',
    segments: 3,
    process: 'curl',
    pid: 7,
    netns: 11,
    netnsName: 'blue',
  },
  {
    kind: 'drop',
    time: at(1),
    ...flow,
    class: 'loss',
    reason: 'NETFILTER_DROP',
    process: HOSTILE,
    bootNs: 2n ** 60n + 1n,
  },
  { kind: 'drop', time: at(2), ...flow, class: 'benign', reason: 'TCP_OLD_ACK' },
  { kind: 'reset', time: at(3), ...flow, direction: 'sent' },
  { kind: 'coverage', time: at(4), from: at(3), until: at(4), state: 'lost', count: 5, why: 'ring full' },
] as Event[];

const period = 'since=2026-11-22T20:00:00Z&until=2026-11-22T20:01:00Z';

test('status', async (t) => {
  const site = await Site.start(t, EVENTS);
  const { now, storeDir, ...status } = await site.json('/api/v1/status');
  assert.match(now, /^\d{4}-.*Z$/);
  assert.deepEqual(status, {
    version: '1.2.3',
    begins: '2026-11-22T20:00:00.000000000Z',
    recorder: {
      state: 'down',
      since: '2026-11-22T20:00:00.000000000Z',
      lastSeen: '2026-11-22T20:00:00.000000000Z',
      kernel: '6.18.44',
      host: 'alpha',
    },
    live: true,
  });
});

test('events', async (t) => {
  const site = await Site.start(t, EVENTS);
  const newest = await site.json('/api/v1/events?limit=2');
  assert.deepEqual(
    (newest.events as { kind: string }[]).map(({ kind }) => kind),
    ['coverage', 'reset'],
  );
  assert.equal(newest.more, true);
  assert.deepEqual(newest.leftOut, { benign: 1 });
  const drops = await site.json('/api/v1/events?kind=drop&kind=reset&order=oldest&peer=10.0.0.0/8&all');
  assert.deepEqual(
    (drops.events as { kind: string; reason?: string }[]).map(({ kind, reason }) => reason ?? kind),
    ['NETFILTER_DROP', 'TCP_OLD_ACK', 'reset'],
  );
  assert.equal(drops.more, false);
  const byName = await site.json(`/api/v1/events?process=${encodeURIComponent(HOSTILE)}`);
  assert.equal((byName.events[0] as { process: string }).process, HOSTILE);
});

test('events as lines, with all digits and nothing that a terminal acts on', async (t) => {
  const site = await Site.start(t, EVENTS);
  const { headers, body } = await site.ask('/api/v1/events?order=oldest&limit=0', {
    headers: { Accept: 'application/x-ndjson' },
  });
  assert.equal(headers['content-type'], 'application/x-ndjson');
  const lines = String(body).trimEnd().split('\n');
  assert.equal(lines.length, 4);
  assert.ok(lines[1]?.includes(`"bootNs":${2n ** 60n + 1n},`));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is the point
  assert.doesNotMatch(String(body), /[\x00-\x09\x0b-\x1f\u202e]/);
});

test('series with coverage', async (t) => {
  const site = await Site.start(t, EVENTS);
  const series = await site.json(`/api/v1/series?${period}&step=30`);
  assert.deepEqual(series.series, [
    { kind: 'retransmit', what: 'rto', counts: [3, 0] },
    { kind: 'drop', what: 'NETFILTER_DROP', class: 'loss', counts: [1, 0] },
    { kind: 'reset', counts: [1, 0] },
  ]);
  assert.equal(series.stepMs, 30_000);
  assert.deepEqual(
    (series.coverage as { state: string }[]).map(({ state }) => state),
    ['recording', 'down', 'lost'].filter((state) => state !== 'recording'),
  );
  const fine = await site.json(`/api/v1/series?${period}&process=curl&by=kind`);
  assert.equal(fine.stepMs, 200);
  assert.equal((fine.series as unknown[]).length, 1);
  const { status, body } = await site.ask(`/api/v1/series?${period}&step=0.001`);
  assert.equal(status, 400);
  assert.match(String(body), /60000 points/);
});

test('top', async (t) => {
  const site = await Site.start(t, EVENTS);
  const byPeer = await site.json(`/api/v1/top?by=peer&${period}`);
  assert.deepEqual(byPeer.rows, [
    { key: '10.0.0.2', events: 3, retransmissions: 1, segments: 3, bytes: 0, drops: 1, resets: 1 },
  ]);
  const byNetns = await site.json('/api/v1/top?by=netns&kind=retransmit');
  assert.deepEqual(byNetns.rows, [
    { key: '11', netnsName: 'blue', events: 1, retransmissions: 1, segments: 3, bytes: 0, drops: 0, resets: 0 },
  ]);
});

test('coverage', async (t) => {
  const site = await Site.start(t, EVENTS);
  const { stretches } = await site.json(`/api/v1/coverage?${period}`);
  assert.deepEqual(
    (stretches as { state: string; count?: number }[]).map(({ state, count }) => [state, count]),
    [
      ['down', undefined],
      ['lost', 5],
    ],
  );
});

test('topology leads from the inside of the host to the outside', async (t) => {
  const container = 'abcd'.repeat(16);
  const inside = { ...EVENTS[0], time: at(5), container } as Event;
  const summary = {
    kind: 'summary',
    time: at(6),
    ...flow,
    of: 'drop',
    events: 11,
    netns: 11,
    from: at(5),
    until: at(6),
  };
  const site = await Site.start(t, [...EVENTS, inside, summary as Event]);
  const { nodes, edges, hidden } = await site.json('/api/v1/topology');
  const counted = ({ retransmissions, drops }: { retransmissions: number; drops: number }) => [retransmissions, drops];
  assert.equal(hidden, 0);
  assert.deepEqual(
    new Map(nodes.map((node: AnyJson) => [node.id, counted(node)])),
    new Map([
      ['process:curl', [6, 0]],
      [`process:${HOSTILE}`, [0, 1]],
      [`container:${container}`, [3, 0]],
      ['netns:11', [0, 11]],
      ['peer:10.0.0.2', [6, 12]],
    ]),
  );
  assert.deepEqual(
    new Map(edges.map((edge: AnyJson) => [`${edge.from} > ${edge.to}`, counted(edge)])),
    new Map([
      ['netns:11 > peer:10.0.0.2', [0, 11]],
      ['process:curl > peer:10.0.0.2', [3, 0]],
      [`process:curl > container:${container}`, [3, 0]],
      [`container:${container} > peer:10.0.0.2`, [3, 0]],
      [`process:${HOSTILE} > peer:10.0.0.2`, [0, 1]],
    ]),
  );
  const few = await site.json('/api/v1/topology?limit=1&kind=drop');
  assert.deepEqual(
    few.nodes.map(({ id }: AnyJson) => id),
    [`process:${HOSTILE}`, 'netns:11', 'peer:10.0.0.2'],
  );
});

test('drops are at the namespace in which they happened, whoever owns them', async (t) => {
  const { process, netns, netnsName } = { process: 'nginx', netns: 12, netnsName: 'router' };
  const lost = { ...EVENTS[1], process, netns, netnsName };
  const site = await Site.start(t, [lost, { ...EVENTS[0], process, netns, netnsName }] as unknown as Event[]);
  const { nodes, edges } = await site.json('/api/v1/topology');
  assert.deepEqual(
    nodes.find(({ id }: AnyJson) => id === 'netns:12'),
    { id: 'netns:12', kind: 'netns', label: 'router', retransmissions: 0, drops: 1 },
  );
  assert.deepEqual(
    edges
      .map(({ from, to, retransmissions, drops }: AnyJson) => [`${from} > ${to}`, retransmissions, drops])
      .toSorted(),
    [
      ['netns:12 > peer:10.0.0.2', 0, 1],
      ['process:nginx > netns:12', 0, 1],
      ['process:nginx > peer:10.0.0.2', 3, 0],
    ],
  );
});

test('incidents and their events', async (t) => {
  const drops = Array.from({ length: 7 }, (_, i) => ({ ...EVENTS[1], time: at(i), seq: i }) as Event);
  const site = await Site.start(t, drops);
  const { incidents, more } = await site.json('/api/v1/incidents');
  assert.equal(incidents.length, 1);
  assert.equal(incidents[0].drops, 7);
  assert.equal(more, false);
  const found = await site.json(`/api/v1/incidents/${incidents[0].incident}/events?limit=5`);
  assert.deepEqual(
    found.events.map(({ seq }: AnyJson) => seq),
    [0, 1, 2, 3, 4],
  );
  assert.equal(found.more, true);
  assert.equal((await site.ask('/api/v1/incidents/nonsense/events')).status, 400);
  const others = Array.from(
    { length: 3 },
    (_, i) => ({ ...EVENTS[1], time: wallNs(at(i) + 1n), process: 'other' }) as Event,
  );
  const mixed = await Site.start(t, [...drops, ...others]);
  const asked = 'process=other';
  const [incident] = (await mixed.json(`/api/v1/incidents?${asked}`)).incidents;
  assert.equal(incident.drops, 3);
  const { events } = await mixed.json(`/api/v1/incidents/${incident.incident}/events?${asked}`);
  assert.deepEqual(
    events.map(({ process }: AnyJson) => process),
    ['other', 'other', 'other'],
  );
});

test('the story of a connection, from either end', async (t) => {
  const lost = { ...EVENTS[1], seq: 100, endSeq: 200, protocol: 'tcp', time: at(1) };
  const resent = { ...EVENTS[0], seq: 100, endSeq: 200, time: at(2) };
  const other = { ...lost, sport: 40_003 };
  const site = await Site.start(t, [lost, resent, other] as unknown as Event[]);
  const { a, b, steps } = await site.json('/api/v1/connection?src=10.0.0.1:40001&dst=10.0.0.2:443');
  assert.deepEqual([a, b], ['10.0.0.1:40001', '10.0.0.2:443']);
  assert.deepEqual(
    steps.map(({ event, way, fate }: AnyJson) => [event.kind, way, fate]),
    [
      ['drop', 'right', 'lost'],
      ['retransmit', 'right', 'unknown'],
    ],
  );
  const back = await site.json('/api/v1/connection?dst=10.0.0.1:40001&src=10.0.0.2:443');
  assert.deepEqual(
    back.steps.map(({ way }: AnyJson) => way),
    ['left', 'left'],
  );
  const { status, body } = await site.ask('/api/v1/connection?src=10.0.0.1&dst=10.0.0.2:443');
  assert.equal(status, 400);
  assert.match(String(body), /"src: \\"10.0.0.1\\" is not an address with a port"/);
});

test('wrong use is told with the parameter and a hint', async (t) => {
  const site = await Site.start(t, EVENTS);
  const wrong: [string, object][] = [
    ['/api/v1/events?perr=1', { message: 'there is no parameter "perr"', hint: 'did you mean peer?' }],
    ['/api/v1/events?port=1&port=2', { message: 'port is given twice' }],
    ['/api/v1/top', { message: 'by is missing', hint: 'give by=…: What to count by.' }],
    [
      '/api/v1/top?by=color',
      {
        message: 'by: "color" is not a dimension',
        hint: 'one of peer, process, container, netns, reason, cause, location',
      },
    ],
    [
      '/api/v1/events?since=2026-11-22T20:15:00Z&until=2026-11-22T20:15:00Z',
      { message: 'since 2026-11-22T20:15:00.000000000Z is not before until 2026-11-22T20:15:00.000000000Z' },
    ],
    ['/api/v1/events?all=maybe', { message: 'all: "maybe" is neither true nor false' }],
  ];
  for (const [path, error] of wrong) {
    const { status, headers, body } = await site.ask(path);
    assert.equal(status, 400, path);
    assert.equal(headers['content-type'], 'application/json; charset=utf-8');
    assert.deepEqual(JSON.parse(String(body)), { error: { code: 'USAGE', ...error } });
  }
});

test('no store is told as such', async (t) => {
  const site = await Site.start(t, []);
  const { storeDir } = await site.json('/api/v1/status');
  // SQLite of a query may make its -shm file anew meanwhile.
  rmSync(storeDir, { recursive: true, maxRetries: 10 });
  const { status, body } = await site.ask('/api/v1/status');
  assert.equal(status, 404);
  assert.equal(JSON.parse(String(body)).error.message, `there is no store at ${storeDir}`);
});

test('long answers are compressed for whoever takes it', async (t) => {
  const events = Array.from({ length: 301 }, (_, i) => ({ ...EVENTS[0], time: at(i) }) as Event);
  const site = await Site.start(t, events, { storeDir: temporaryDirectory(t) });
  const path = '/api/v1/events?limit=301';
  const { headers, body } = await site.ask(path, { headers: { 'Accept-Encoding': 'gzip' } });
  assert.equal(headers['content-encoding'], 'gzip');
  assert.deepEqual(JSON.parse(String(gunzipSync(body))), await site.json(path));
});
