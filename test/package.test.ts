/** The published package: its tarball, installed into an empty folder, runs without a compiler and without any Node.js in PATH. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Lab } from '../lab/lab.ts';
import { LabProcess } from '../lab/process.ts';
import { blastUdp } from '../lab/traffic.ts';
import { StoreWriter } from '../src/store/writer.ts';
import { requires } from './helpers/requires.ts';

const repository = new URL('..', import.meta.url).pathname;
const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string };

describe('the installed package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'losslog-package-'));
  const losslog = join(folder, 'app/node_modules/.bin/losslog');
  // All that the launcher itself calls.
  const environment = { PATH: join(folder, 'path'), LANG: 'C' };

  before(() => {
    for (const name of ['app', 'path']) mkdirSync(join(folder, name));
    for (const name of ['sh', 'dirname', 'readlink']) symlinkSync(which(name), join(folder, 'path', name));
    npm(repository, 'pack', '--pack-destination', folder);
    const tarball = join(folder, `losslog-${version}.tgz`);
    npm(join(folder, 'app'), 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', tarball);
  });
  after(() => rmSync(folder, { recursive: true }));

  const runs = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(losslog, args, {
      env: environment,
      encoding: 'utf8',
      timeout: 20_000,
    });
    return { status, stdout, stderr };
  };

  test('has the compiled code and the object, and no TypeScript', () => {
    const files = readdirSync(join(folder, 'app/node_modules/losslog'), { recursive: true, encoding: 'utf8' });
    for (const file of [
      'bin/losslog',
      'dist/cli/main.cjs',
      'dist/bpf/losslog.bpf.o',
      'dist/ui/index.html',
      'LICENSE',
    ]) {
      assert.ok(files.includes(file), `${file} is missing`);
    }
    assert.deepEqual(
      files.filter((file) => file.endsWith('.ts')),
      [],
    );
  });

  test('prints its version', () => {
    assert.deepEqual(runs('--version'), { status: 0, stdout: `losslog ${version}\n`, stderr: '' });
  });

  test('prints help', () => {
    const { status, stdout, stderr } = runs('--help');
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /^ {2}record /m);
  });

  test('records drops and shows them', requires('root', 'btf'), async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts();
    server.dropMatching({ protocol: 'udp', dport: 4000, family: 4 });
    const store = join(folder, 'store');
    const command = [losslog, 'record', '--store', store, '--netns', server.name, '--for', '3s'];
    const recorder = new LabProcess(command, environment);
    try {
      await recorder.stderrLine('losslog: recording');
      await blastUdp(client, { host: server.ip4, port: 4000, count: 5 });
      assert.deepEqual(await recorder.wait(), { code: 0, signal: null });
    } finally {
      recorder.kill();
    }
    const { status, stdout } = runs('show', '--store', store, '--json', '--kind', 'drop', '--port', '4000');
    const drops = stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { reason: string; dst: string });
    assert.equal(status, 0);
    assert.deepEqual(
      drops.map(({ reason, dst }) => [reason, dst]),
      Array(5).fill(['NETFILTER_DROP', server.ip4]),
    );
  });

  test('serves the page, and answers from a worker thread', async () => {
    const store = join(folder, 'served');
    const writer = StoreWriter.open(store, { bootId: 'b', losslogVersion: '0', kernel: '0', host: 'h' });
    writer.close();
    const server = new LabProcess([losslog, 'serve', '--store', store, '--listen', '127.0.0.1:0'], environment);
    try {
      await server.stderrLine('losslog: serving');
      const url = /serving (http:\S+)/.exec(server.stderr)?.[1] ?? assert.fail(server.stderr);
      const page = await (await fetch(url)).text();
      const script = /src="([^"]+\.js)"/.exec(page)?.[1] ?? assert.fail(page);
      const { headers } = await fetch(new URL(script, url));
      assert.equal(headers.get('cache-control'), 'public, max-age=31536000, immutable');
      const status = (await (await fetch(new URL('api/v1/status', url))).json()) as { version: string };
      assert.equal(status.version, version);
    } finally {
      server.kill();
    }
  });
});

function npm(folder: string, ...args: string[]): void {
  execFileSync('npm', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], timeout: 180_000 });
}

function which(name: string): string {
  return execFileSync('sh', ['-c', 'command -v "$1"', 'sh', name], { encoding: 'utf8' }).trim();
}
