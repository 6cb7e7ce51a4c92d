/** Bad input and hosts that lack something: one line, a hint, the right exit code. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { LOSSLOG } from '../lab/recorder.ts';
import { requires } from './helpers/requires.ts';

interface Case {
  name: string;
  command: string[];
  code: number;
  says: RegExp;
}

const STORE = ['--store', '/tmp/losslog-errors-test'];
const withoutRights = [
  'setpriv',
  '--reuid',
  '65534',
  '--regid',
  '65534',
  '--clear-groups',
  '--inh-caps=-all',
  '--bounding-set=-all',
];
const inMountNamespace = (script: string): [string, ...string[]] => [
  'unshare',
  '-m',
  'bash',
  '-c',
  `${script}; exec "$@"`,
  'bash',
];

const cases: Case[] = [
  {
    name: 'no rights',
    command: [...withoutRights, LOSSLOG, 'record', '--for', '1s', ...STORE],
    code: 3,
    says: /EPERM|permit|CAP_/,
  },
  {
    name: 'no BTF',
    command: [...inMountNamespace('mount -t tmpfs none /sys/kernel/btf'), LOSSLOG, 'record', '--for', '1s', ...STORE],
    code: 3,
    says: /no type information/,
  },
  {
    name: 'unknown namespace',
    command: [LOSSLOG, 'record', '--netns', 'no-such-netns', '--for', '1s', ...STORE],
    code: 1,
    says: /no-such-netns/,
  },
  {
    name: 'unwritable store',
    command: [
      ...inMountNamespace('mount -t tmpfs -o ro none /mnt'),
      LOSSLOG,
      'record',
      '--for',
      '1s',
      '--store',
      '/mnt/store',
    ],
    code: 3,
    says: /\/mnt/,
  },
  {
    name: 'no store',
    command: [LOSSLOG, 'show', '--store', '/nonexistent/store'],
    code: 1,
    says: /\/nonexistent\/store/,
  },
  { name: 'bad time', command: [LOSSLOG, 'show', '--since', 'tomorrowish'], code: 2, says: /tomorrowish/ },
  { name: 'bad address', command: [LOSSLOG, 'show', '--peer', '10.0.0.300'], code: 2, says: /10\.0\.0\.300/ },
  { name: 'unknown flag', command: [LOSSLOG, 'show', '--sinse', '-2h'], code: 2, says: /sinse/ },
];

for (const { name, command, code, says } of cases) {
  test(`${name}: exit code ${code}, one line and a hint`, requires('root', 'btf'), () => {
    const [program, ...args] = command as [string, ...string[]];
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 30_000 });
    assert.equal(status, code, stderr);
    assert.equal(stdout, '');
    const [message, hint, ...rest] = stderr.trimEnd().split('\n');
    assert.match(message as string, /^losslog: /);
    assert.match(message as string, says);
    assert.match(hint as string, /^ {2}hint: /);
    assert.deepEqual(rest, []);
  });
}

test('doctor finds that this host can record', requires('root', 'btf'), () => {
  const { status, stdout } = spawnSync(LOSSLOG, ['doctor', '--json'], { encoding: 'utf8', timeout: 30_000 });
  const checks = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { name: string; state: string });
  assert.equal(status, 0, stdout);
  assert.equal(checks.find(({ name }) => name === 'tcp_retransmit_skb')?.state, 'ok');
});

test('doctor without BTF says what is missing, and exits with 3', requires('root', 'btf'), () => {
  const [program, ...args] = inMountNamespace('mount -t tmpfs none /sys/kernel/btf');
  const { status, stdout } = spawnSync(program, [...args, LOSSLOG, 'doctor'], { encoding: 'utf8', timeout: 30_000 });
  assert.equal(status, 3);
  assert.match(stdout, /^missing {2}BTF: this kernel has no type information/m);
});
