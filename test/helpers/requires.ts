/** What a test needs of the machine; without it the test is skipped and says why. */

import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { cgroupMounts } from '../../lab/cgroup.ts';
import { succeeds } from '../../lab/command.ts';
import { compiledBpf } from '../../lab/compile.ts';
import { Lab } from '../../lab/lab.ts';
import { BpfObject } from '../../src/bpf/object.ts';
import { kernelFacts } from '../../src/capture/kernel-facts.ts';
import { readKernelBtf } from '../../src/linux/kernel-btf.ts';
import { openTracefs } from '../../src/linux/tracefs-mount.ts';
import { prometheusProgram } from './prometheus.ts';

/** Why a need is not met, or undefined when it is. */
const checks = {
  root: () => (process.geteuid?.() === 0 ? undefined : 'needs root'),
  btf: () => (existsSync('/sys/kernel/btf/vmlinux') ? undefined : 'this kernel has no BTF'),
  err: () => (tellsFailures() ? undefined : 'this kernel does not tell of retransmissions that failed'),
  ipv6: () => (existsSync('/proc/net/if_inet6') ? undefined : 'this kernel has no IPv6'),
  cgroup1: () => (hasCgroup(1) ? undefined : 'no cgroup v1 hierarchy is mounted'),
  cgroup2: () => (hasCgroup(2) ? undefined : 'no cgroup v2 hierarchy is mounted'),
  tbf: () => tryInLab((lab) => lab.twoHosts().client.limitRate({ rate: '1mbit' })),
  rps: () => (availableParallelism() < 2 ? 'needs two CPUs' : tryInLab((lab) => lab.twoHosts().client.receiveOn(1))),
  ftrace: () => tracefsProblem(),
  kprobe: () => tracefsProblem('kprobe_events'),
  fentry: () => tryFentry(),
  netem: () => tryInLab((lab) => lab.twoHosts().client.netem(1)),
  chromium: () => (existsSync('/usr/bin/chromium') ? undefined : 'chromium is not installed'),
  pahole: () => hasProgram('pahole'),
  perf: () => hasProgram('perf'),
  prometheus: () => hasProgram(prometheusProgram('prometheus')),
  script: () => hasProgram('script'),
  tshark: () => hasProgram('tshark'),
  statistic: () => tryInLab((lab) => lab.twoHosts().client.dropEveryNth(2)),
} as const;

export type Need = keyof typeof checks;

/** Options for `test()`: skip, with the reason, where a need is not met. */
export function requires(...needs: Need[]): { skip: string | false } {
  for (const need of needs) {
    const reason = met(need);
    if (reason !== undefined) return { skip: reason };
  }
  return { skip: false };
}

const known = new Map<Need, string | undefined>();

function met(need: Need): string | undefined {
  if (!known.has(need)) known.set(need, checks[need]());
  return known.get(need);
}

const tellsFailures = (): boolean => kernelFacts(readKernelBtf()).retransmitHasErr;

function tracefsProblem(file = '.'): string | undefined {
  try {
    const tracefs = openTracefs();
    const isThere = existsSync(join(tracefs.path, file));
    tracefs.close();
    return isThere ? undefined : `tracefs has no ${file}`;
  } catch (error) {
    return `no tracefs: ${error instanceof Error ? error.message : error}`;
  }
}

function tryFentry(): string | undefined {
  try {
    const object = BpfObject.load(compiledBpf('test/kernels/fentry.bpf.c'), { programs: [], configure: () => {} });
    try {
      object.attach('on_retransmit');
      return undefined;
    } finally {
      object.close();
    }
  } catch (error) {
    return `this kernel has no fentry: ${error instanceof Error ? error.message : error}`;
  }
}

const hasProgram = (name: string): string | undefined =>
  succeeds(name, '--version') ? undefined : `${name} is not installed`;

const hasCgroup = (version: 1 | 2): boolean => cgroupMounts().some((mount) => mount.version === version);

function tryInLab(use: (lab: Lab) => void): string | undefined {
  const lab = Lab.create();
  try {
    use(lab);
    return undefined;
  } catch (error) {
    return `not possible here: ${error instanceof Error ? error.message : error}`;
  } finally {
    lab.close();
  }
}
