/** Kernels from Debian's packages, unpacked into a cache. */

import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { LosslogError } from '../../src/base/errors.ts';
import { CommandFailed } from '../command.ts';
import { Apt } from './apt.ts';
import { type Kernel, packagesOf, releasesOf, type Series } from './kernels.ts';

const UNPACK_TIMEOUT_MS = 120_000;
/** An index may list a kernel whose packages are gone: then the one before is tried. */
const MAX_ATTEMPTS = 3;

/** One of a series: unpacked, or the reason why not. */
export type Fetched = Kernel | { readonly series: string; readonly skipped: string };

/**
 * The newest kernel of each series; one that the cache has is taken as it is.
 * @param cache directory that keeps them; remove it to get newer ones
 */
export function fetchKernels(wanted: readonly Series[], cache: string): Fetched[] {
  const cached = new Map(wanted.map((series) => [series, fromCache(series, cache)]));
  const missing = wanted.filter((series) => cached.get(series) === undefined);
  const fetched = missing.length === 0 ? new Map<Series, Fetched>() : download(missing, cache);
  return wanted.map((series) => cached.get(series) ?? (fetched.get(series) as Fetched));
}

/** Where the image lies: boot/ up to 6.18, then beside the modules. */
export function imageOf({ tree, release }: Kernel): string {
  const found = globSync([`boot/vmlinuz-${release}`, `{usr/,}lib/modules/${release}/vmlinuz`], { cwd: tree })[0];
  if (found === undefined) throw new LosslogError('FILE', `no kernel image in ${tree}`, { hint: 'remove the cache' });
  return join(tree, found);
}

function fromCache(series: Series, cache: string): Kernel | undefined {
  const names = existsSync(cache) ? readdirSync(cache).map((name) => `linux-image-${name}`) : [];
  const release = releasesOf(series, names)[0];
  return release === undefined ? undefined : { series: series.name, release, tree: join(cache, release) };
}

function download(missing: readonly Series[], cache: string): Map<Series, Fetched> {
  const skip = (reason: string) => new Map(missing.map((s) => [s, { series: s.name, skipped: reason }] as const));
  try {
    mkdirSync(cache, { recursive: true });
    const apt = Apt.open(
      join(cache, 'apt'),
      missing.map(({ suite }) => suite),
    );
    const names = apt.packageNames('linux-image-');
    return new Map(missing.map((series) => [series, downloadOne(apt, series, names, cache)]));
  } catch (error) {
    return skip(error instanceof Error ? error.message : String(error));
  }
}

function downloadOne(apt: Apt, series: Series, names: readonly string[], cache: string): Fetched {
  const failures: string[] = [];
  for (const release of releasesOf(series, names).slice(0, MAX_ATTEMPTS)) {
    try {
      return { series: series.name, release, tree: unpack(apt, release, cache) };
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  const reasons = failures.length > 0 ? failures : [`no such kernel in ${series.suite}`, ...apt.failures];
  return { series: series.name, skipped: reasons.join('; ') };
}

/** Appears in the cache under its name only when it is whole. */
function unpack(apt: Apt, release: string, cache: string): string {
  const record = apt.show(`linux-image-${release}`);
  if (record === undefined) throw new LosslogError('NOT_FOUND', `linux-image-${release} has no record`);
  const aside = join(cache, `.${release}.${process.pid}`);
  const packages = join(aside, 'packages');
  const tree = join(aside, 'tree');
  try {
    mkdirSync(packages, { recursive: true });
    apt.download(packagesOf(release, record), packages);
    for (const name of readdirSync(packages)) runLong('dpkg-deb', '-x', join(packages, name), tree);
    // depmod and modprobe look below lib/ only.
    if (!existsSync(join(tree, 'lib'))) symlinkSync('usr/lib', join(tree, 'lib'));
    runLong('depmod', '-b', tree, release);
    imageOf({ series: '', release, tree });
    renameSync(tree, join(cache, release));
    return join(cache, release);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

function runLong(program: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: UNPACK_TIMEOUT_MS });
  if (status !== 0) throw new CommandFailed([program, ...args], status, error?.message ?? stderr);
}
