/** What this host can and cannot record, asked of the host itself. */

import { libbpf } from '../bpf/libbpf.ts';
import { objectPath } from '../bpf/object-path.ts';
import { readBootIdentity } from '../linux/boot.ts';
import { Btf } from '../linux/btf.ts';
import { attempt, type Check, finding } from './check.ts';
import * as host from './host-checks.ts';
import { ftraceCheck, kernelBtf, kernelChecks, kprobeCheck, programsCheck } from './kernel-checks.ts';
import { bpffsCheck, pinChecks } from './pin-checks.ts';

/** On every kernel. */
const NEVER_SEEN: readonly Check[] = [
  finding(
    'listen queues',
    'limited',
    'a SYN or connection refused by a full queue is freed without any drop event',
    'how many and by which listener is recorded (counter), the client is not',
    'watch ListenOverflows and ListenDrops: nstat -az TcpExtListenOverflows TcpExtListenDrops',
  ),
  finding(
    'device rings',
    'limited',
    'what a network card drops before the kernel takes it is no event',
    'only how many is recorded (counter)',
    'watch the counters of the card: ip -s -s link, ethtool -S DEVICE',
  ),
];

/**
 * Every check, in the order in which recording needs them. The programs are loaded into the kernel for a moment, and not attached.
 * @param storeDir where events would be stored
 */
export async function diagnose(storeDir: string): Promise<Check[]> {
  const btf = kernelBtf();
  const needed = [
    finding('kernel', 'ok', `Linux ${readBootIdentity().kernelRelease}, ${process.arch}`),
    host.rightsCheck(),
    ...host.lockdownChecks(),
    attempt('libbpf', 'missing', () => {
      libbpf();
      return 'libbpf.so.1 is loaded';
    }),
    attempt('BPF object', 'missing', () => objectPath().pathname),
    ...(btf instanceof Btf ? [...kernelChecks(btf), ...host.lockedMemoryChecks(btf)] : [btf]),
  ];
  const ftrace = ftraceCheck();
  return [
    ...(ftrace.state === 'ok' ? needed.map(replaceable) : needed),
    ftrace,
    kprobeCheck(),
    // With something missing it would only say the same again, in other words.
    ...(isMissingAny(needed) ? [] : [programsCheck()]),
    host.storeCheck(storeDir),
    await host.pollCheck(),
    host.symbolsCheck(),
    ...host.jitChecks(),
    host.pidNamespaceCheck(),
    host.clockCheck(),
    host.tracefsCheck(),
    bpffsCheck(),
    ...pinChecks(),
    ...NEVER_SEEN,
  ];
}

/** What only BPF needs: without it ftrace records. */
function replaceable(check: Check): Check {
  if (check.state !== 'missing' || check.name === 'rights') return check;
  return { ...check, state: 'limited', consequence: 'events come from ftrace, which tells less of each' };
}

/** Whether recording is impossible. */
export function isMissingAny(checks: readonly Check[]): boolean {
  return checks.some(({ state }) => state === 'missing');
}
