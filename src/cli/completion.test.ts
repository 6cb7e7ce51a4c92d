import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { commands } from './commands.ts';
import { bashCompletion } from './completion.ts';

/** What bash offers for the last of the words. */
function complete(...words: string[]): string[] {
  const script = `${bashCompletion(commands)}
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_losslog
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8', timeout: 10_000 });
  assert.equal(stderr, '');
  return stdout.split('\n').filter((word) => word !== '');
}

test('bash completes commands, flags and listed values', () => {
  assert.deepEqual(complete('losslog', 's'), ['show', 'stop', 'serve']);
  assert.deepEqual(complete('losslog', 'top', '--p'), ['--peer', '--port', '--process', '--pid']);
  assert.deepEqual(complete('losslog', 'show', '--cause', 's'), ['syn', 'syn-ack']);
  assert.deepEqual(complete('losslog', 'top', '--by', 'p'), ['peer', 'process']);
  assert.deepEqual(complete('losslog', 'record', '--print'), ['--print', '--print=text', '--print=json']);
  assert.deepEqual(complete('losslog', 'help', 'd'), ['doctor']);
  assert.deepEqual(complete('losslog', 'record', '--store', '/pro'), ['/proc']);
});
