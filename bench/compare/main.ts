/**
 * Plays faults of the lab with losslog, bpftrace and a capture recording at once, and writes what each tells to docs/comparison.md.
 *
 *     node --disable-warning=ExperimentalWarning bench/compare/main.ts [SCENARIO...]
 *
 * Needs root, bpftrace and tshark; the packaged tools (bpfcc-tools) are tried where they are installed. With names, only
 * those are played, and the page goes to stdout.
 */

import { writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { succeeds } from '../../lab/command.ts';
import type { Counters } from '../../lab/counters.ts';
import type { Host } from '../../lab/host.ts';
import { loadScenario } from '../../lab/scenario/catalogue.ts';
import { play, recordedRoles } from '../../lab/scenario/play.ts';
import type { Scenario, Stage } from '../../lab/scenario/scenario.ts';
import { exitCodeOf, LosslogError, messageOf } from '../../src/base/errors.ts';
import { packagedTools, versionOf } from '../packaged.ts';
import { Bpftrace } from './bpftrace.ts';
import { toldByLosslog } from './losslog.ts';
import { page, type Row } from './page.ts';
import { Capture } from './tshark.ts';

const PAGE = fileURLToPath(new URL('../../docs/comparison.md', import.meta.url));

/** At least one of each kind of verdict. */
const SCENARIOS = [
  'iptables-in',
  'iptables-out',
  'nft-forward',
  'syn-filtered',
  'tbf-overflow',
  'blackhole-route',
  'client-link-down',
  'mtu-blackhole',
  'rp-filter',
  'accept-queue-full',
  'closed-port',
  'zero-window',
  'udp-receive-buffer',
  'reordering',
  'bad-checksum',
  'loss-on-the-wire',
  'peer-silent',
  'ack-loss',
  'clean-connections',
];

const say = (text: string): void => void process.stderr.write(`compare: ${text}\n`);

function needInstalled(): void {
  const missing = ['bpftrace', 'tshark', 'dumpcap'].filter((name) => !succeeds('which', name));
  if (missing.length === 0) return;
  throw new LosslogError('NOT_SUPPORTED', `not installed: ${missing.join(', ')}`, {
    hint: 'apt-get install bpftrace tshark bpfcc-tools',
  });
}

const lookedAt = (stage: Stage): Host[] => recordedRoles(stage).map((role) => stage.hosts[role] as Host);

/** The scenario as it is, with the others recording while it runs. */
function watched(scenario: Scenario, peers: Peers): Scenario {
  return {
    ...scenario,
    async build(lab, family) {
      const stage = await scenario.build(lab, family);
      const hosts = lookedAt(stage);
      let before: Counters[] = [];
      return {
        ...stage,
        async run() {
          peers.bpftrace = await Bpftrace.start(hosts.map((host) => host.netns));
          peers.capture = await Capture.start(stage.hosts.client as Host);
          before = hosts.map((host) => host.counters());
          await stage.run();
        },
        async evidence() {
          const grown = hosts.map((host, i) =>
            host
              .counters()
              .since(before[i] as Counters)
              .get('Tcp.RetransSegs'),
          );
          peers.resent = grown.reduce((a, b) => a + b);
          peers.bpftrace?.end();
          peers.capture?.end();
          return await stage.evidence();
        },
      };
    },
  };
}

interface Peers {
  bpftrace?: Bpftrace;
  capture?: Capture;
  resent: number;
}

async function compare(name: string): Promise<Row> {
  const scenario = await loadScenario(name);
  const peers: Peers = { resent: 0 };
  try {
    return await play(watched(scenario, peers), {}, async (played) => {
      const { rule, at } = played.stage.expected;
      return {
        scenario: name,
        description: scenario.description,
        happened: played.evidence,
        resent: peers.resent,
        expected: rule === undefined ? 'nothing to be named' : `${rule}${at ? ` at ${at}` : ''}`,
        losslog: toldByLosslog(played),
        bpftrace: await (peers.bpftrace as Bpftrace).told(),
        tshark: await (peers.capture as Capture).told(),
      };
    });
  } finally {
    peers.bpftrace?.close();
    peers.capture?.close();
  }
}

async function main(names: readonly string[]): Promise<void> {
  needInstalled();
  const rows: Row[] = [];
  const notMade: string[] = [];
  for (const name of names.length > 0 ? names : SCENARIOS) {
    say(name);
    try {
      rows.push(await compare(name));
    } catch (error) {
      say(`${name}: ${messageOf(error)}`);
      notMade.push(`${name} (${messageOf(error)})`);
    }
  }
  const versions = ['bpftrace', 'tshark'].map((name) => `${name} ${versionOf(name)}`).join(', ');
  const text = page(rows, { kernel: release(), versions, packaged: packagedTools(), notMade });
  if (names.length > 0) process.stdout.write(text);
  else writeFileSync(PAGE, text);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  say(messageOf(error));
  if (error instanceof LosslogError && error.hint) say(`hint: ${error.hint}`);
  process.exitCode = exitCodeOf(error);
}
