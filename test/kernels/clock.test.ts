/** A wall clock that is set by a year and back while a recorder runs: in a machine of its own, whose clock nobody else needs. */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../../lab/command.ts';
import { Recorder } from '../../lab/recorder.ts';
import { blast, PORT, withHosts } from '../helpers/firewalled.ts';
import { requires } from '../helpers/requires.ts';

const YEAR_S = 365 * 24 * 3600;
/** Longer than it takes until a recorder has noticed, committed, and sealed what is of another hour. */
const NOTICED_MS = 8000;

function inMachine(): { skip: string | false } {
  if (process.env.LOSSLOG_TEST_EMULATED !== '1')
    return { skip: 'sets the clock: only in a machine of its own (npm run test:kernels)' };
  return requires('root', 'btf');
}

const setClock = (seconds: number): string => run('date', '--set', `@${Math.round(Date.now() / 1000) + seconds}`);

test(
  'clock: set forward by a year, and back: all is there, each in its time, and it is told',
  inMachine(),
  async () => {
    await withHosts(async (hosts) => {
      await using recorder = await Recorder.start({ hosts: [hosts.server] });
      const begin = Date.now();
      await blast(hosts, 31);
      await sleep(NOTICED_MS);
      setClock(YEAR_S);
      await sleep(NOTICED_MS);
      await blast(hosts, 17);
      await sleep(NOTICED_MS);
      setClock(-YEAR_S);
      await sleep(NOTICED_MS);
      await blast(hosts, 5);
      await sleep(NOTICED_MS);
      await recorder.stop();
      assert.equal(hosts.rule.packets(), 31 + 17 + 5);
      // by the port alone: kernels before 5.17 tell no reason
      const years = recorder
        .eventsOf('drop', '--port', String(PORT))
        .toSorted((a, b) => Number(a.bootNs) - Number(b.bootNs))
        .map(({ time }) => Math.round((Date.parse(time) - begin) / 1000 / YEAR_S));
      assert.deepEqual(
        years,
        [...Array(31).fill(0), ...Array(17).fill(1), ...Array(5).fill(0)],
        String(readdirSync(recorder.storeDir)),
      );
      const steps = recorder
        .eventsOf('coverage')
        .map(({ why = '' }) => why)
        .filter((why) => why.startsWith('the wall clock'));
      assert.deepEqual(
        steps
          .map((why) => why.replace(/[0-9.]+ s$/, (seconds) => `${Math.round(Number.parseFloat(seconds) / 100)}`))
          .sort(),
        [`the wall clock was set back by ${YEAR_S / 100}`, `the wall clock was set forward by ${YEAR_S / 100}`],
      );
      assert.deepEqual(recorder.gaps(), []);
    });
  },
);
