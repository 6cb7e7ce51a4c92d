/**
 * `npm run lab`: lists the faults that the lab can make; `npm run lab -- NAME` makes one, records it, and shows what
 * losslog says about it. Needs root; leaves nothing behind, also after Ctrl-C.
 *
 * Exit codes: 0 made, 1 failed, 2 wrong use, 3 this machine cannot make it.
 */

import { parseArgs } from 'node:util';
import { exitCodeOf, LosslogError, messageOf } from '../../src/base/errors.ts';
import type { Family } from '../drop-rule.ts';
import { familiesOf, loadScenario, scenarioNames } from './catalogue.ts';
import { type Played, play, recordedRoles } from './play.ts';
import type { Expected, Stage } from './scenario.ts';

const USAGE = 'npm run lab [-- NAME [--ipv6] [--keep] [--lines N] [--json]]';

const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

async function main(): Promise<void> {
  const { values, positionals } = parsed();
  const [name, ...more] = positionals;
  if (more.length > 0) throw new LosslogError('USAGE', 'one scenario at a time', { hint: USAGE });
  if (name === undefined) return await list();
  if (!scenarioNames().includes(name))
    throw new LosslogError('USAGE', `no scenario ${name}`, { hint: 'npm run lab lists them' });
  const scenario = await loadScenario(name);
  const family: Family = values.ipv6 ? 6 : 4;
  if (!familiesOf(scenario).includes(family)) throw new LosslogError('USAGE', `${name} is not made for IPv${family}`);
  say(`${name}: ${scenario.description} (IPv${family})`);
  await play(scenario, { family, onBegin: describe }, async (played) => {
    if (values.json) process.stdout.write(`${JSON.stringify(result(played))}\n`);
    else report(played, Number(values.lines));
    if (values.keep) await untilInterrupted(played);
  });
}

function parsed() {
  const options = {
    ipv6: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    lines: { type: 'string', default: '12' },
  } as const;
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    throw new LosslogError('USAGE', messageOf(error), { hint: USAGE });
  }
}

async function list(): Promise<void> {
  say(`usage: ${USAGE}\n`);
  for (const name of scenarioNames()) {
    const scenario = await loadScenario(name);
    const families = familiesOf(scenario).length === 2 ? '' : ` (IPv${familiesOf(scenario)[0]} only)`;
    process.stdout.write(`${name.padEnd(20)} ${scenario.description}${families}\n`);
  }
}

function describe(stage: Stage): void {
  const recorded = recordedRoles(stage);
  for (const [role, host] of Object.entries(stage.hosts)) {
    const addresses = [host.ip4, host.ip6].filter(Boolean).join(' ');
    const blind = recorded.includes(role) ? '' : ', not recorded';
    say(`  ${role.padEnd(9)} netns ${host.netns} (${host.name}) ${addresses}${blind}`);
  }
}

function report({ stage, recorder, evidence }: Played, lines: number): void {
  for (const [what, count] of Object.entries(evidence)) say(`  happened: ${what}: ${count}`);
  say(`  expected: ${expectation(stage.expected)}`);
  say('\nlosslog show --all, the last lines');
  process.stdout.write(recorder.losslog('show', '--all', '--limit', String(lines)));
  say('\nlosslog why');
  process.stdout.write(recorder.losslog('why'));
}

/** For tests: what should be said, and what is. */
function result({ stage, recorder, evidence }: Played) {
  const { rule, at } = stage.expected;
  const incidents = recorder.losslog('why', '--json', '--limit', '0').split('\n').filter(Boolean);
  return {
    evidence,
    expected: { ...(rule && { rule }), ...(at && { netns: stage.hosts[at]?.netns }) },
    incidents: incidents.map((line) => JSON.parse(line) as Record<string, unknown>),
    coverage: recorder.eventsOf('coverage'),
  };
}

function expectation({ rule, at }: Expected): string {
  if (rule === undefined) return 'nothing is to be named';
  return `${rule} ${at === undefined ? 'outside of what is recorded' : `at ${at}`}`;
}

/** The hosts and the store stay until Ctrl-C, whose handler (cleanup.ts) removes them. */
function untilInterrupted({ stage, recorder }: Played): Promise<never> {
  say(`\nkept until Ctrl-C; the store: ${recorder.storeDir}`);
  for (const host of Object.values(stage.hosts)) say(`  ip netns exec ${host.name} bash`);
  setInterval(() => {}, 60_000);
  return new Promise(() => {});
}

try {
  await main();
} catch (error) {
  say(`lab: ${messageOf(error)}`);
  if (error instanceof LosslogError && error.hint) say(`  hint: ${error.hint}`);
  process.exitCode = exitCodeOf(error);
}
