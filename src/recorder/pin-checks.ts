/** What losslog keeps in the kernel beyond its processes, and whether it can. */

import { bootNs } from '../base/time.ts';
import { PinDirectory } from '../bpf/pin-directory.ts';
import { type Ledger, readLedger } from '../capture/pin-ledger.ts';
import { pinnedDirectories } from '../capture/pin-place.ts';
import { isHeld } from '../capture/pin-set.ts';
import { localTime } from '../event/local-time.ts';
import { bpffsMounts, OWN_BPFFS } from '../linux/bpffs.ts';
import { missingCapabilities } from '../linux/capabilities.ts';
import { WallClock } from '../linux/clock.ts';
import { attempt, type Check, finding } from './check.ts';

export function bpffsCheck(): Check {
  const [mount] = bpffsMounts();
  if (mount !== undefined) return { name: 'bpffs', state: 'ok', detail: mount };
  if (missingCapabilities(['SYS_ADMIN']).length === 0) {
    return {
      name: 'bpffs',
      state: 'ok',
      detail: `not mounted; losslog mounts one of its own on ${OWN_BPFFS} while it needs it`,
    };
  }
  const consequence = 'a recording ends with its process: after a crash nothing is recorded until the next start';
  return finding('bpffs', 'limited', 'not mounted', consequence, 'mount -t bpf bpf /sys/fs/bpf, or run as root');
}

/** One for each directory of pins. */
export function pinChecks(): Check[] {
  return pinnedDirectories()
    .map((path) => attempt('pins', 'limited', () => describe(path)))
    .map(withRemedy);
}

function describe(path: string): string {
  const ledger = readLedger(new PinDirectory(path));
  const store = ledger === undefined ? '' : `, for ${ledger.store}`;
  if (isHeld(path)) return `${path} of process ${ledger?.pid ?? '(unknown)'}${store}`;
  return `${path}${store}, is ${AT_WORK}${since(ledger)}`;
}

const AT_WORK = 'at work without a recorder';

function since(ledger: Ledger | undefined): string {
  if (!ledger) return '';
  return ` since ${localTime(new WallClock().toWall(bootNs(BigInt(ledger.alive))), 0)}`;
}

function withRemedy(check: Check): Check {
  if (!check.detail.includes(AT_WORK)) return check;
  const consequence = 'the kernel records, and nothing is stored until a recorder takes over';
  const remedy = 'losslog record --store DIR goes on from there, losslog stop --store DIR ends it';
  return finding(check.name, 'limited', check.detail, consequence, remedy);
}
