/** `npm run lab`: what it prints, its exit codes, and that it leaves nothing behind. */

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makerOf } from '../lab/names.ts';
import { LabProcess } from '../lab/process.ts';
import { loadScenario, scenarioNames } from '../lab/scenario/catalogue.ts';
import { play } from '../lab/scenario/play.ts';
import { labRemains } from '../lab/stale.ts';
import { requires } from './helpers/requires.ts';

const MAIN = fileURLToPath(new URL('../lab/scenario/main.ts', import.meta.url));

/** Runs with a directory for temporary files of its own, so that what is left of a store is seen. */
async function withLab(args: readonly string[], use: (lab: LabProcess) => Promise<void>): Promise<void> {
  const temporary = mkdtempSync(join(tmpdir(), 'losslog-lab-test-'));
  const lab = new LabProcess([process.execPath, '--disable-warning=ExperimentalWarning', MAIN, ...args], {
    TMPDIR: temporary,
  });
  try {
    await use(lab);
    assert.deepEqual(readdirSync(temporary), [], 'no store is left');
    const mine = labRemains().netns.filter((name) => makerOf(name) === lab.pid);
    assert.deepEqual(mine, [], 'no namespace is left');
  } finally {
    lab.kill();
    rmSync(temporary, { recursive: true, force: true });
  }
}

async function output(lab: LabProcess): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of lab.lines()) lines.push(line);
  return lines;
}

test('without a name it lists every scenario, on one line each', async () => {
  await withLab([], async (lab) => {
    const lines = await output(lab);
    assert.equal((await lab.exited).code, 0);
    assert.deepEqual(
      lines.map((line) => line.split(' ')[0]),
      scenarioNames(),
    );
    assert.ok(lines.length >= 30);
    assert.deepEqual(
      lines.filter((line) => line.length > 140),
      [],
    );
  });
});

test('an unknown name, an unknown flag and a family that it is not made for are wrong use', async () => {
  for (const args of [['no-such-fault'], ['--no-such-flag'], ['rp-filter', '--ipv6'], ['iptables-in', 'nft-in']])
    await withLab(args, async (lab) => {
      assert.equal((await lab.exited).code, 2, args.join(' '));
      assert.match(lab.stderr, /^lab: /m);
    });
});

test('a fault is made, recorded and shown', requires('root', 'btf', 'statistic'), async () => {
  await withLab(['syn-filtered', '--ipv6'], async (lab) => {
    const shown = (await output(lab)).join('\n');
    assert.equal((await lab.exited).code, 0, lab.stderr);
    assert.match(lab.stderr, /happened: packets that the rule dropped: \d/);
    assert.match(shown, /DROP +NETFILTER_DROP +tcp \[fd99:1::1\].* SYN +rx/);
    assert.match(shown, /RETRANS syn /);
  });
});

test('what this machine cannot make is said with the reason', requires('root', 'btf'), async () => {
  await withLab(['fq-overflow'], async (lab) => {
    const { code } = await lab.exited;
    if (code !== 0) {
      assert.equal(code, 3, lab.stderr);
      assert.match(lab.stderr, /cannot be made here: no fq queue \(.*unknown/);
    }
  });
});

test('a fault that did not happen is an error, not a clean result', requires('root', 'btf'), async () => {
  const scenario = await loadScenario('clean-connections');
  const idle = {
    ...scenario,
    build: async (...given: Parameters<typeof scenario.build>) => ({
      ...(await scenario.build(...given)),
      run: async () => {},
    }),
  };
  await assert.rejects(
    play(idle, {}, () => undefined),
    /did not happen: connections that ended well/,
  );
});

for (const [when, prefix, args] of [
  ['while it runs', '  server ', ['blackhole-route']],
  ['while it is kept', 'kept until Ctrl-C', ['closed-port', '--keep']],
] as const)
  test(`Ctrl-C ${when} leaves nothing`, requires('root', 'btf'), async () => {
    await withLab(args, async (lab) => {
      await lab.stderrLine(prefix);
      lab.signal('SIGINT');
      assert.equal((await lab.wait(15_000)).code, 130);
    });
  });
