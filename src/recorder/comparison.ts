/**
 * Recorded retransmissions of one namespace against the kernel's counters of it, exactly.
 *
 * A counter and the record of what it counted are not made in the same moment: the kernel counts a segment some µs before or after its
 * tracepoint. So a look is only taken when nothing was recorded around it (see sampler.ts), and a difference counts once three looks in a row have shown
 * at least that much: what was under way at one look has arrived at the next, what is missing stays missing.
 */

import type { CounterValues } from '../linux/snmp.ts';
import type { Totals } from './recorded-totals.ts';

/** The counters of the kernel that are compared, in the order of {@link Look.kernel}. */
export const COMPARED = [
  'Tcp.RetransSegs',
  'TcpExt.TCPRetransFail',
  'TcpExt.TCPSynRetrans',
  'TcpExt.TCPFastRetrans',
  'TcpExt.TCPSlowStartRetrans',
  'TcpExt.TCPTimeouts',
  'TcpExt.TCPLossProbes',
] as const;

/** Both sides at one moment. */
export interface Look {
  readonly bootNs: bigint;
  /** The counters of {@link COMPARED}, and others behind them. */
  readonly kernel: CounterValues;
  readonly recorded: Readonly<Totals>;
}

/** How one counter compares over the stretch since it was last told. */
export interface Compared {
  /** As `nstat` names it. */
  readonly counter: string;
  readonly recorded: number;
  readonly kernel: number;
  /**
   * exact: the two are equal unless something was missed; failures: this kernel does not tell of failed retransmissions; part: equal unless something
   * was missed, as far as every cause was told right; more: the kernel counts here what resends nothing, too.
   */
  readonly relation: 'exact' | 'failures' | 'part' | 'more';
}

/** What the kernel counted and was not recorded, by what it is. */
interface Missing {
  readonly sent: number;
  readonly failed: number;
  readonly handshake: number;
  readonly fast: number;
  readonly lossRecovery: number;
}
type MissingName = keyof Missing;
const MISSING_NAMES: readonly MissingName[] = ['sent', 'failed', 'handshake', 'fast', 'lossRecovery'];
const NOTHING: Missing = { sent: 0, failed: 0, handshake: 0, fast: 0, lossRecovery: 0 };

/** Looks that must agree on a difference. */
const LOOKS = 3;

export class Comparison {
  readonly #tellsFailures: boolean;
  /** The latest ones. */
  #looks: Look[] = [];
  /** From where on the two sides are compared. */
  #baseline: { look: Look; excess: Missing } | undefined;
  /** What was told last. */
  #told: { look: Look; missing: Missing } | undefined;
  /** First looks that did not agree with the one before them. */
  #unlike = 0;

  /**
   * @param origin a look at which both sides are known to agree: zeros, for a namespace that was made while the recorder ran. Without it
   * they are taken to agree at the first look that differs as much as the one after it.
   */
  constructor(tellsFailures: boolean, origin?: Look) {
    this.#tellsFailures = tellsFailures;
    if (origin) this.#begin(origin);
  }

  /** Whether differences can be told yet. */
  get isReady(): boolean {
    return this.#baseline !== undefined;
  }

  /** Whether the latest looks agree: no further one would change what there is to tell. */
  get isSettled(): boolean {
    const [latest, ...rest] = this.#recent().reverse();
    if (!latest || this.#looks.length < LOOKS)
      return latest !== undefined && isNothing(latest) && rest.every(isNothing);
    return rest.every((missing) => MISSING_NAMES.every((name) => missing[name] === latest[name]));
  }

  /** Whether the two sides differ by more, or less, than what was told. */
  get hasNews(): boolean {
    const settled = this.#settled();
    return this.#told !== undefined && MISSING_NAMES.some((name) => settled[name] !== this.#told?.missing[name]);
  }

  add(look: Look): void {
    const before = this.#looks.at(-1);
    this.#looks.push(look);
    if (this.#looks.length > LOOKS) this.#looks.shift();
    if (this.#baseline || !before) return;
    const [one, other] = [excessOf(before), excessOf(look)];
    if (MISSING_NAMES.every((name) => one[name] === other[name])) this.#begin(before);
    // Where every look differs, events are missed all the time: it is compared from here on.
    else if (++this.#unlike === LOOKS) this.#begin(look);
  }

  /** How the counters compare that grew since the last call; undefined while there is nothing to compare with. */
  take(): { fromNs: bigint; untilNs: bigint; compared: Compared[] } | undefined {
    const before = this.#told;
    const look = this.#looks.at(-1);
    if (!before || !look) return undefined;
    this.#told = { look, missing: this.#settled() };
    const compared = this.#compare(before, this.#told).filter(({ recorded, kernel }) => recorded !== 0 || kernel !== 0);
    return { fromNs: before.look.bootNs, untilNs: look.bootNs, compared };
  }

  #begin(look: Look): void {
    this.#baseline = { look, excess: excessOf(look) };
    this.#told = { look, missing: NOTHING };
  }

  /** What is missing at the latest looks since the baseline. */
  #recent(): Missing[] {
    const first = this.#baseline?.look.bootNs ?? 0n;
    return this.#looks.filter(({ bootNs }) => bootNs >= first).map((look) => this.#missingAt(look));
  }

  /** The difference that the latest looks agree on. */
  #settled(): Missing {
    const recent = this.#recent();
    return recent.length < LOOKS ? NOTHING : leastOf(recent);
  }

  #missingAt(look: Look): Missing {
    if (!this.#baseline) return NOTHING;
    const { excess: before, look: first } = this.#baseline;
    const excess = excessOf(look);
    const somehow = look.recorded.failedSomehow - first.recorded.failedSomehow;
    const failures = kernelOf(look, 'TcpExt.TCPRetransFail') - kernelOf(first, 'TcpExt.TCPRetransFail');
    const slack: Partial<Missing> = { failed: somehow, handshake: somehow + (this.#tellsFailures ? 0 : failures) };
    return eachOf((name) => beyond(excess[name] - before[name], slack[name] ?? 0));
  }

  #compare(before: { look: Look; missing: Missing }, now: { look: Look; missing: Missing }): Compared[] {
    const grown = (of: (totals: Readonly<Totals>) => number): number =>
      of(now.look.recorded) - of(before.look.recorded);
    const missed = (name: MissingName): number => now.missing[name] - before.missing[name];
    const failed = kernelGrown(before.look, now.look, 'TcpExt.TCPRetransFail') - missed('failed');
    const sent = grown((totals) => totals.sent);
    const isFailureOnly = missed('sent') === 0 && missed('failed') !== 0 && !this.#tellsFailures;
    const relation = isFailureOnly ? 'failures' : 'exact';
    const bounded = (counter: Counter, recorded: number): Compared => ({
      counter: nameOf(counter),
      recorded,
      kernel: kernelGrown(before.look, now.look, counter),
      relation: 'more',
    });
    const equal = (counter: Counter, recorded: number, missing: number, how: Compared['relation']): Compared => ({
      counter: nameOf(counter),
      recorded,
      kernel: recorded + missing,
      relation: how,
    });
    return [
      equal('Tcp.RetransSegs', sent + failed, missed('sent') + missed('failed'), relation),
      equal('TcpExt.TCPRetransFail', failed, missed('failed'), this.#tellsFailures ? 'exact' : 'failures'),
      equal(
        'TcpExt.TCPSynRetrans',
        grown((totals) => totals.handshake),
        missed('handshake'),
        'part',
      ),
      equal(
        'TcpExt.TCPFastRetrans',
        grown((totals) => totals.fast),
        missed('fast'),
        'part',
      ),
      equal(
        'TcpExt.TCPSlowStartRetrans',
        grown((totals) => totals.lossRecovery),
        missed('lossRecovery'),
        'part',
      ),
      bounded(
        'TcpExt.TCPTimeouts',
        grown((totals) => totals.timeouts),
      ),
      bounded(
        'TcpExt.TCPLossProbes',
        grown((totals) => totals.probes),
      ),
    ];
  }
}

type Counter = (typeof COMPARED)[number];

/** A counter that this kernel does not have stands still. */
function kernelOf(look: Look, counter: Counter): number {
  const value = look.kernel[COMPARED.indexOf(counter)];
  return value === undefined || Number.isNaN(value) ? 0 : value;
}

const kernelGrown = (before: Look, now: Look, counter: Counter): number =>
  kernelOf(now, counter) - kernelOf(before, counter);

/** By how much the kernel's counters are beyond the records, whatever they began with. */
function excessOf(look: Look): Missing {
  const { recorded } = look;
  const failed = kernelOf(look, 'TcpExt.TCPRetransFail');
  return {
    sent: kernelOf(look, 'Tcp.RetransSegs') - failed - recorded.sent,
    failed: failed - recorded.failedLate,
    handshake: kernelOf(look, 'TcpExt.TCPSynRetrans') - recorded.handshake,
    fast: kernelOf(look, 'TcpExt.TCPFastRetrans') - recorded.fast,
    lossRecovery: kernelOf(look, 'TcpExt.TCPSlowStartRetrans') - recorded.lossRecovery,
  };
}

/** What of a difference is beyond what may be. */
const beyond = (difference: number, slack: number): number =>
  difference < 0 ? difference : Math.max(0, difference - slack);

/** Of each difference the one nearest to nothing; nothing where the looks do not agree on its sign. */
const leastOf = (looks: readonly Missing[]): Missing =>
  eachOf((name) => {
    const values = looks.map((missing) => missing[name]);
    if (values.every((value) => value > 0)) return Math.min(...values);
    return values.every((value) => value < 0) ? Math.max(...values) : 0;
  });

const isNothing = (missing: Missing): boolean => MISSING_NAMES.every((name) => missing[name] === 0);

const eachOf = (of: (name: MissingName) => number): Missing =>
  Object.fromEntries(MISSING_NAMES.map((name) => [name, of(name)])) as unknown as Missing;

/** As `nstat` names it; those of TcpExt without that word. */
export const nameOf = (counter: string): string => counter.replace(/^TcpExt\./, '').replace('.', '');
