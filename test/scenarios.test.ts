/** Every fault of the lab: `losslog why` puts the right cause and the right place first. */

import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Family } from '../lab/drop-rule.ts';
import { LabProcess } from '../lab/process.ts';
import { familiesOf, loadScenario, scenarioNames } from '../lab/scenario/catalogue.ts';
import { requires } from './helpers/requires.ts';
import { seen } from './helpers/seen.ts';

const MAIN = fileURLToPath(new URL('../lab/scenario/main.ts', import.meta.url));
const NOT_SUPPORTED = 3;
const TIMEOUT_MS = 150_000;
const SUITE_TIMEOUT_MS = 900_000;
/** They disturb others that run at the same time: gigabytes, or hundreds of thousands of packets. */
const HEAVY: ReadonlySet<string> = new Set(['clean-bulk', 'conntrack-full']);
/** Where IPv6 takes other ways through the kernel; LOSSLOG_SCENARIOS=all plays every fault over IPv6 too. */
const OVER_IPV6: ReadonlySet<string> = new Set([
  ...[
    'iptables-out',
    'nft-forward',
    'syn-filtered',
    'reject-reset',
    'nat-loss',
    'nat-random',
    'nat-random-server',
    'bridge-firewall',
    'tbf-overflow',
  ],
  ...['blackhole-route', 'unreachable-route', 'no-route', 'client-link-down', 'neighbour-failure', 'ttl-exceeded'],
  ...['mtu-blackhole', 'tc-drop', 'bad-checksum', 'closed-port', 'receiver-memory', 'udp-receive-buffer'],
  ...['accept-queue-full', 'reordering', 'loss-on-the-wire', 'clean-connections', 'dead-host', 'wrong-neighbour'],
]);
interface Incident {
  rule: string;
  title: string;
  restsOn: string[];
  netns?: number;
}

interface Result {
  expected: { rule?: string; netns?: number };
  incidents: Incident[];
  coverage: { state: string }[];
}

async function verdict(t: TestContext, name: string, family: Family): Promise<void> {
  const flags = family === 6 ? ['--ipv6', '--json'] : ['--json'];
  const lab = new LabProcess([process.execPath, '--disable-warning=ExperimentalWarning', MAIN, name, ...flags]);
  t.after(() => lab.kill());
  const lines: string[] = [];
  for await (const line of lab.lines()) lines.push(line);
  const { code } = await lab.wait(TIMEOUT_MS);
  if (code === NOT_SUPPORTED) return t.skip(lab.stderr.trim().split('\n').at(-1));
  assert.equal(code, 0, lab.stderr);
  const { expected, incidents } = JSON.parse(lines[0] as string) as Result;
  const all = incidents.map(({ rule, title, restsOn }) => `${rule}: ${title}\n  ${restsOn.join('\n  ')}`).join('\n');
  if (expected.rule === undefined) assert.deepEqual(incidents, [], all);
  else {
    assert.equal(incidents[0]?.rule, expected.rule, all);
    if (expected.netns !== undefined) assert.equal(incidents[0]?.netns, expected.netns, all);
  }
}

const isPlayed = (name: string, family: Family): boolean =>
  family === 4 || OVER_IPV6.has(name) || process.env.LOSSLOG_SCENARIOS === 'all';

interface Play {
  name: string;
  family: Family;
}

const plays: Play[] = [];
for (const name of scenarioNames()) {
  const families = familiesOf(await loadScenario(name)).filter((family) => isPlayed(name, family));
  plays.push(...families.map((family) => ({ name, family })));
}

function testPlay({ name, family }: Play): void {
  const needs = requires('root', 'btf');
  test(`${name}, IPv${family}`, needs, (t) =>
    seen(() => verdict(t as TestContext, name, family), { onlyWhenFailed: true }),
  );
}

describe('faults', { concurrency: availableParallelism() * 3, timeout: SUITE_TIMEOUT_MS }, () => {
  for (const play of plays) if (!HEAVY.has(play.name)) testPlay(play);
});

for (const play of plays) if (HEAVY.has(play.name)) testPlay(play);
