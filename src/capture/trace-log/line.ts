/**
 * A line of a trace log → its CPU, time stamp, event and text. Understood is what ftrace prints (trace_print_context() and
 * trace_print_lat_context() in kernel/trace/trace_output.c), what `trace-cmd report` and `perf script` make of it.
 */

import { parseAlignedLine } from './aligned-line.ts';
import { NO_TIME, type Stamp, stampOf } from './stamp.ts';

export interface TraceLine extends Stamp {
  /** Undefined where the line does not name it. */
  readonly cpu: number | undefined;
  /** Event, without the group that perf puts before it; `0` or `bpf_trace_printk` for printk. */
  readonly name: string;
  /** What follows the name. */
  readonly text: string;
}

/** What comes before the event is shorter; a bound on what a hostile line may cost. */
const MAX_HEADER = 256;

/** Letters of the flags grow with every kernel. */
const FLAGS = String.raw`(?:[^\s:[\]()]{1,8}\s+)?`;
const TGID = String.raw`(?:\(\s*[-\d]+\)\s+)?`;

/** `TASK-PID (TGID) [CPU] FLAGS TIME: ` without the alignment, and with the TGID behind the CPU (before 4.20). */
const TRACE = new RegExp(String.raw`^\s*\S.*?-\d+\s+${TGID}\[(\d+)\]\s+${TGID}${FLAGS}(\d+(?:\.\d+)?):\s+`);
/** `comm pid[/tid] [cpu] time: [period] `, without the alignment where there are call chains. */
const PERF = new RegExp(
  String.raw`^\s*\S.*?\s+-?\d+(?:\/\d+)?\s+(?:\[(\d+)\]\s+)?${FLAGS}(\d+\.\d+):\s+(?:\d+\s+)?(?=[\w-]+:[\w-]+:)`,
);
/** `%8.8s-%-7d %3d` and flags: the option latency-format, with the time since the trace began; `trace-cmd report -l`, with the time. */
const LATENCY = /^\s*\S.{0,7}?-\d+\s+(\d+)[^\s\d]\S{0,7}\s+(\d+(?:\.\d+|us[^\d:]?)?)\s*:\s+/;
/** latency-format with the option verbose; the time in brackets is absolute, in microseconds where it is one. */
const VERBOSE =
  /^\s*\S.*?\s+\d+\s+(\d+)\s+\d+\s+[0-9a-f]{8}\s+[0-9a-f]{8}\s+\[([0-9a-f]{1,16})\]\s+\d+(\.\d+ms)?\s+\(\+\S+\):\s+/;

/** @returns undefined for a line that is none of an event. */
export function parseTraceLine(line: string): TraceLine | undefined {
  const aligned = parseAlignedLine(line);
  if (aligned) return aligned;
  const header = line.slice(0, MAX_HEADER);
  const match = TRACE.exec(header) ?? PERF.exec(header) ?? LATENCY.exec(header);
  if (match) return lineOf(match[1], stampOf(match[2] as string), line.slice(match[0].length));
  const verbose = VERBOSE.exec(header);
  if (!verbose) return undefined;
  const stamp = verbose[3] === undefined ? NO_TIME : stampOfUs(BigInt(`0x${verbose[2]}`));
  return lineOf(verbose[1], stamp, line.slice(verbose[0].length));
}

/** `GROUP:NAME: TEXT` or `NAME: TEXT`. */
const NAMED = /^(?:[\w.-]{1,64}:(?=[^\s:]+:))?([^\s:]{1,128}):\s*/;

function lineOf(cpu: string | undefined, stamp: Stamp, rest: string): TraceLine {
  const named = NAMED.exec(rest.slice(0, MAX_HEADER));
  return {
    cpu: cpu === undefined ? undefined : Number(cpu),
    seconds: stamp.seconds,
    ns: stamp.ns,
    name: named?.[1] ?? '',
    text: named ? rest.slice(named[0].length) : rest,
  };
}

const stampOfUs = (us: bigint): Stamp => ({ seconds: Number(us / 1_000_000n), ns: Number(us % 1_000_000n) * 1000 });
