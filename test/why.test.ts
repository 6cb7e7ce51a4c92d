/** `losslog why` on faults that the lab really makes: the first incident names the cause and the host. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Recorder } from '../lab/recorder.ts';
import { familiesOf, loadScenario } from '../lab/scenario/catalogue.ts';
import { play } from '../lab/scenario/play.ts';
import { LosslogError } from '../src/base/errors.ts';
import { requires } from './helpers/requires.ts';
import { seen } from './helpers/seen.ts';

interface JsonIncident {
  incident: string;
  rule: string;
  netns?: number;
  retransmissions: number;
  drops: number;
  resets: number;
  counted: number;
}

function incidents(recorder: Recorder, ...filters: string[]): JsonIncident[] {
  const lines = recorder.losslog('why', '--json', '--limit', '0', ...filters).split('\n');
  return lines.filter(Boolean).map((line) => JSON.parse(line) as JsonIncident);
}

const SCENARIOS = [
  'iptables-in',
  'iptables-forward',
  'nat-loss',
  'nat-random',
  'nat-random-server',
  'nat-ack-loss',
  'ack-loss',
  'loss-outside',
  'reordering',
  'closed-port',
  'receiver-memory',
];

for (const name of SCENARIOS) {
  const scenario = await loadScenario(name);
  for (const family of familiesOf(scenario)) {
    test(`${name}, IPv${family}`, requires('root', 'btf', 'statistic'), async (t) => {
      try {
        const attempt = () =>
          play(scenario, { family }, ({ stage, recorder }) => {
            const { rule, at } = stage.expected;
            const [first, ...others] = incidents(recorder);
            assert.deepEqual(
              [first?.rule, first?.netns],
              [rule, at === undefined ? first?.netns : stage.hosts[at]?.netns],
            );
            assert.ok(first);
            const evidence = recorder
              .losslog('show', '--incident', first.incident, '--limit', '0', '--json')
              .trimEnd()
              .split('\n');
            assert.equal(evidence.length, first.retransmissions + first.drops + first.resets);
            assert.deepEqual(others, []);
          });
        await seen(attempt, { onlyWhenFailed: true });
      } catch (error) {
        if (error instanceof LosslogError && error.code === 'NOT_SUPPORTED') t.skip(error.message);
        else throw error;
      }
    });
  }
}
