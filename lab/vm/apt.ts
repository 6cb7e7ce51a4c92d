/**
 * Reading other suites of Debian's archive by apt, with lists and caches of our own: /etc/apt and what is installed stay
 * as they are. apt checks the suite's signature and the packages' hashes. The machine's apt.conf.d holds (proxies).
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LosslogError } from '../../src/base/errors.ts';
import { CommandFailed } from '../command.ts';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const DEFAULT_MIRROR = 'http://deb.debian.org/debian/';
const DEFAULT_SECURITY_MIRROR = 'http://deb.debian.org/debian-security/';
const UPDATE_TIMEOUT_MS = 120_000;
const DOWNLOAD_TIMEOUT_MS = 300_000;

export class Apt {
  readonly #options: string[];
  readonly #directory: string;
  /** What `update` could not read, in apt's words. */
  readonly failures: readonly string[];

  private constructor(directory: string, options: string[], failures: readonly string[]) {
    this.#directory = directory;
    this.#options = options;
    this.failures = failures;
  }

  /**
   * Reads the lists of `suites`; one that the mirror has not is named in `failures`.
   * @param directory for lists and caches
   * @throws NOT_SUPPORTED where there is no apt or no key of Debian
   */
  static open(directory: string, suites: readonly string[]): Apt {
    if (!existsSync(KEYRING)) {
      throw new LosslogError('NOT_SUPPORTED', `${KEYRING} is missing`, {
        hint: 'install apt and debian-archive-keyring: the kernels come from Debian',
      });
    }
    for (const name of ['lists/partial', 'archives/partial']) mkdirSync(join(directory, name), { recursive: true });
    const options = privateOptions(directory);
    writeFileSync(join(directory, 'sources.list'), sourceLines(suites));
    const { stdout, stderr } = apt('apt-get', [...options, 'update'], UPDATE_TIMEOUT_MS);
    const failures = `${stdout}\n${stderr}`.split('\n').filter((line) => /^(E:|Err:)/.test(line));
    return new Apt(directory, options, failures);
  }

  packageNames(prefix: string): string[] {
    return this.#cache('pkgnames', prefix).split('\n').filter(Boolean);
  }

  /** The record of a package, or undefined when no suite has it. `spec` may end in `=VERSION`. */
  show(spec: string): string | undefined {
    const record = apt('apt-cache', [...this.#options, 'show', '--no-all-versions', spec], UPDATE_TIMEOUT_MS);
    return record.status === 0 && record.stdout !== '' ? record.stdout : undefined;
  }

  /** Puts the files of packages (`name=version`) into `directory`. @throws CommandFailed */
  download(packages: readonly string[], directory: string): void {
    const command = [...this.#options, 'download', ...packages];
    const { status, stderr } = apt('apt-get', command, DOWNLOAD_TIMEOUT_MS, directory);
    if (status !== 0) throw new CommandFailed(['apt-get', 'download', ...packages], status, stderr);
  }

  #cache(...command: string[]): string {
    const { status, stdout, stderr } = apt('apt-cache', [...this.#options, ...command], UPDATE_TIMEOUT_MS);
    if (status !== 0) throw new CommandFailed(['apt-cache', ...command, this.#directory], status, stderr);
    return stdout;
  }
}

function privateOptions(directory: string): string[] {
  const settings = {
    'Dir::Etc::sourcelist': join(directory, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::State::lists': join(directory, 'lists'),
    'Dir::Cache': directory,
    'Dir::Cache::archives': join(directory, 'archives'),
    'Acquire::Languages': 'none',
    'Acquire::Retries': '3',
    'APT::Architecture': 'amd64',
    'APT::Update::Post-Invoke-Success::': 'true',
    'APT::Sandbox::User': 'root',
  };
  return ['-q', ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])];
}

function sourceLines(suites: readonly string[]): string {
  const targets = apt('apt-get', ['indextargets', '--format', '$(RELEASE) $(REPO_URI)'], UPDATE_TIMEOUT_MS).stdout;
  const mirrors = targets.split('\n').map((line) => line.split(' ') as [suite: string, uri?: string]);
  const mirrorOf = (suite: string): string => {
    const isSecurity = suite.endsWith('-security');
    const uri = mirrors.find(([name, at]) => name.endsWith('-security') === isSecurity && at?.includes('debian'))?.[1];
    return uri ?? (isSecurity ? DEFAULT_SECURITY_MIRROR : DEFAULT_MIRROR);
  };
  return [...new Set(suites)].map((suite) => `deb [signed-by=${KEYRING}] ${mirrorOf(suite)} ${suite} main\n`).join('');
}

function apt(program: string, args: readonly string[], timeout: number, cwd = '/') {
  const env = { ...process.env, LC_ALL: 'C' };
  const result = spawnSync(program, args, { cwd, env, encoding: 'utf8', timeout, maxBuffer: 64 << 20 });
  if (result.error) throw new CommandFailed([program], null, result.error.message);
  return result;
}
