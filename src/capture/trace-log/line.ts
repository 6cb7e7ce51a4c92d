/**
 * A line of a trace log → its CPU, time stamp, event and text. Understood is what ftrace prints (trace_print_context() and
 * trace_print_lat_context() in kernel/trace/trace_output.c), what `trace-cmd report` and `perf script` make of it.
 */

export interface TraceLine {
  readonly cpu: number;
  /** As printed: `2621728.977959`, `12345` or `12us`. */
  readonly stamp: string;
  /** Event, without the group that perf puts before it; `0` or `bpf_trace_printk` for printk. */
  readonly name: string;
  /** What follows the name. */
  readonly text: string;
}

/** From the CPU on, to the time: `[000] d..s. (TGID) 12.345678: `. Letters of the flags grow with every kernel. */
const CPU_AND_TIME = String.raw`\[(\d+)\]\s+(?:\(\s*[-\d]+\)\s+)?(?:[^\s:[\]]{1,8}\s+)?(\d+(?:\.\d+)?):\s+`;
/** `%16s-%-7d `: the name of the task fills 16 columns and may hold anything. Most lines are of this form: in one go to their text. */
const ALIGNED = new RegExp(String.raw`^.{16}-\d+\s+(?:\(\s*[-\d]+\)\s+)?${CPU_AND_TIME}([^\s:]+): +(.*)$`);
/** The same without that alignment: `trace-cmd report`, and logs whose blanks were changed. */
const TRACE = new RegExp(String.raw`^\s*\S.*?-\d+\s+(?:\(\s*[-\d]+\)\s+)?${CPU_AND_TIME}(.*)$`);
/** `comm pid[/tid] [cpu] time: [period] group:event: text`. */
const PERF =
  /^\s*\S.*?\s+-?\d+(?:\/\d+)?\s+\[(\d+)\]\s+(?:[^\s:[\]]{1,8}\s+)?(\d+\.\d+):\s+(?:\d+\s+)?([\w-]+:[\w-]+:.*)$/;
/** `%8.8s-%-7d %3d` and flags, then time since the trace began: the option latency-format. */
const LATENCY = /^\s*\S.{0,7}?-\d+\s+(\d+)\S{0,8}\s+(\d+(?:us[!+#*@$ ]?)?)\s*:\s+(.*)$/;
/** The same with the option verbose; the time in brackets is absolute, in microseconds. */
const VERBOSE =
  /^\s*\S.*?\s+\d+\s+(\d+)\s+\d+\s+[0-9a-f]{8}\s+[0-9a-f]{8}\s+\[([0-9a-f]+)\]\s+\S+\s+\(\+\S+\):\s+(.*)$/;

/** @returns undefined for a line that is none of an event. */
export function parseTraceLine(line: string): TraceLine | undefined {
  const aligned = ALIGNED.exec(line);
  if (aligned) {
    const [, cpu, stamp, name, text] = aligned as unknown as [string, string, string, string, string];
    return { cpu: Number(cpu), stamp, name, text };
  }
  const match = TRACE.exec(line) ?? PERF.exec(line);
  if (match) return lineOf(match[1] as string, match[2] as string, match[3] as string);
  const latency = LATENCY.exec(line);
  if (latency) return lineOf(latency[1] as string, latency[2] as string, latency[3] as string);
  const verbose = VERBOSE.exec(line);
  if (!verbose) return undefined;
  return lineOf(verbose[1] as string, secondsOf(BigInt(`0x${verbose[2]}`)), verbose[3] as string);
}

/** `GROUP:NAME: TEXT` or `NAME: TEXT`. */
const NAMED = /^(?:[\w.-]+:(?=[^\s:]+:))?([^\s:]+):\s*(.*)$/;

function lineOf(cpu: string, stamp: string, rest: string): TraceLine {
  const [, name = '', text = rest] = NAMED.exec(rest) ?? [];
  return { cpu: Number(cpu), stamp, name, text };
}

const secondsOf = (us: bigint): string => `${us / 1_000_000n}.${String(us % 1_000_000n).padStart(6, '0')}`;

export interface LostLine {
  /** Undefined where the line does not name it. */
  readonly cpu: number | undefined;
  /** Undefined where the kernel does not know how many. */
  readonly count: number | undefined;
}

const LOST = /^CPU:?\s*(\d+) \[(?:LOST )?(?:(\d+) )?(?:LOST )?EVENTS(?: DROPPED)?\]$/;
const PERF_LOST = /PERF_RECORD_LOST(?:_SAMPLES)?(?: lost)? (\d+)/;

/** `CPU:0 [LOST 12 EVENTS]` of trace_pipe, `CPU:0 [12 EVENTS DROPPED]` of trace-cmd, perf's `PERF_RECORD_LOST lost 12`. */
export function parseLostLine(line: string): LostLine | undefined {
  const match = LOST.exec(line.trim());
  if (match) return { cpu: Number(match[1]), count: match[2] === undefined ? undefined : Number(match[2]) };
  const perf = PERF_LOST.exec(line);
  return perf ? { cpu: undefined, count: Number(perf[1]) } : undefined;
}

/** Nanoseconds of a stamp in seconds; undefined for one that counts something else (`trace_clock` counter, x86-tsc) or is relative. */
export function stampNs(stamp: string): bigint | undefined {
  const dot = stamp.indexOf('.');
  if (dot < 0) return undefined;
  return BigInt(stamp.slice(0, dot) + stamp.slice(dot + 1, dot + 10).padEnd(9, '0'));
}
