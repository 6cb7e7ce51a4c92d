/** Lines that tell of events which the trace buffer could not take. */

export interface LostLine {
  /** Undefined where the line does not name it. */
  readonly cpu: number | undefined;
  /** Undefined where the kernel does not know how many. */
  readonly count: number | undefined;
}

/** No machine has as many CPUs: what a broken line may make us remember. */
const MAX_CPUS = 65_536;

/** `CPU:0 [LOST 12 EVENTS]` of trace_pipe (test_cpu_buff_start() in kernel/trace/trace.c), `CPU:0 [12 EVENTS DROPPED]` of trace-cmd. */
const FTRACE = /^CPU:?\s*(\d{1,6}) \[(?:LOST )?(?:(\d{1,15}) )?(?:LOST )?EVENTS(?: DROPPED)?\]\s*$/;
/** perf script, `--show-lost-events`. */
const PERF = /(?:\[(\d{1,6})\]\s+(?:[^\s:]+\s+)?[\d.]+: )?PERF_RECORD_LOST(?:_SAMPLES)?(?: lost)? (\d{1,15})\s*$/;
/** perf trace. */
const PERF_TRACE = /^LOST (\d{1,15}) events!\s*$/;
const MAX_LENGTH = 256;

export function parseLostLine(line: string): LostLine | undefined {
  if (line.length > MAX_LENGTH) return undefined;
  const match = FTRACE.exec(line) ?? PERF.exec(line);
  if (match) return { cpu: cpuOf(match[1]), count: match[2] === undefined ? undefined : Number(match[2]) };
  const perf = PERF_TRACE.exec(line);
  return perf ? { cpu: undefined, count: Number(perf[1]) } : undefined;
}

function cpuOf(text: string | undefined): number | undefined {
  const cpu = Number(text ?? Number.NaN);
  return cpu < MAX_CPUS ? cpu : undefined;
}
