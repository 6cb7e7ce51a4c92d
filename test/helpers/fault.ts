/** Faults of a host while a recorder runs, and what becomes of packets that a firewall drops before, under and after them. */

import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../../lab/command.ts';
import { Recorder } from '../../lab/recorder.ts';
import { memoryMib } from '../../lab/usage.ts';
import { blast, coverage, firewalled, QUIET_MS, summarized, withHosts } from './firewalled.ts';
import { seen } from './seen.ts';

/** Longer than a recorder waits before it commits, and before it tries again. */
export const COMMITTED_MS = 1500;

/** A file system of its own, of that size. */
export function smallDisk(t: TestContext, size: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'losslog-disk-'));
  run('mount', '-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', dir);
  t.after(() => {
    run('umount', '--lazy', dir);
    rmSync(dir, { recursive: true, force: true });
  });
  return dir;
}

/** Takes all the room of a disk. @returns what gives it back */
export function fill(disk: string): () => void {
  const { bavail, bsize } = statfsSync(disk);
  const filler = join(disk, 'filler');
  writeFileSync(filler, Buffer.alloc(bavail * bsize));
  return () => rmSync(filler);
}

/** Peak of the resident memory, in MiB. */
export const peakMib = (pid: number): number => Math.round(memoryMib(pid, 'VmHWM'));

/** Records what the firewall drops, with a fault in between. */
export interface Fault {
  storeDir?: string;
  /** Arguments of record; by themselves no limits. */
  args?: readonly string[];
  limited?: boolean;
  /** In front of the command. */
  prefix?: readonly string[];
  /** Called before it is started. */
  prepare?(): void;
  /** How many packets are dropped before, under and after it. */
  counts: readonly [number, number, number];
  begin(recorder: Recorder): void;
  end(recorder: Recorder): void;
}

export function withFault({ storeDir, counts: [before, under, after], prepare, begin, end, ...options }: Fault) {
  return seen(() =>
    withHosts(async (hosts) => {
      if (storeDir !== undefined) rmSync(storeDir, { recursive: true, force: true });
      prepare?.();
      const place = storeDir === undefined ? {} : { storeDir };
      await using recorder = await Recorder.start({ hosts: [hosts.server], ...options, ...place });
      const first = hosts.rule.packets();
      await blast(hosts, before);
      await sleep(COMMITTED_MS);
      begin(recorder);
      await blast(hosts, under, 4000);
      await sleep(COMMITTED_MS);
      end(recorder);
      await blast(hosts, after);
      await sleep(QUIET_MS);
      const peak = peakMib(recorder.process.pid);
      await recorder.stop();
      return {
        dropped: hosts.rule.packets() - first,
        stored: firewalled(recorder).length + summarized(recorder),
        lost: coverage(recorder).filter(({ state }) => state === 'lost'),
        peak,
      };
    }),
  );
}
