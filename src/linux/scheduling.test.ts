import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

/** Policies of all threads of a process that waits for its turn, one of them made afterwards: field 41 of stat (proc(5)). */
function policiesOf(...command: string[]): Set<string | undefined> {
  const program = `
    import { readdirSync, readFileSync } from 'node:fs';
    import { Worker } from 'node:worker_threads';
    import { waitForTurn } from '${new URL('scheduling.ts', import.meta.url)}';
    waitForTurn();
    const worker = new Worker('setTimeout(() => {}, 60_000)', { eval: true });
    worker.once('online', () => {
      for (const thread of readdirSync('/proc/self/task'))
        console.log(readFileSync('/proc/self/task/' + thread + '/stat', 'latin1').split(') ')[1].split(' ')[38]);
      process.exit();
    });`;
  const [file = '', ...args] = [...command, process.execPath, '--input-type=module', '--eval', program];
  return new Set(execFileSync(file, args, { encoding: 'utf8', stdio: 'pipe' }).trim().split('\n'));
}

test('every thread waits for its turn, those made later, too', () => {
  assert.deepEqual(policiesOf(), new Set(['3']));
});

test('a policy that somebody chose stays', () => {
  assert.deepEqual(policiesOf('chrt', '--idle', '0'), new Set(['5']));
});
