/** Which source of events this host allows. */

import { LosslogError } from '../base/errors.ts';
import type { BootNs, WallNs } from '../base/time.ts';
import { BpfCapture } from '../capture/bpf-capture.ts';
import type { Capture, SourceName } from '../capture/capture.ts';
import type { Limits } from '../capture/limits.ts';
import { FtraceCapture } from '../capture/tracefs/ftrace-capture.ts';
import { KprobeCapture } from '../capture/tracefs/kprobe-capture.ts';

export interface CaptureOptions {
  /** The source that the user asks for; else the best that works here. */
  source?: SourceName;
  netns: readonly number[];
  drops: boolean;
  limits: Limits;
  /** Time between two reports of a connection that lives and goes on resending. */
  reportIntervalMs?: number;
  /** Of the source kprobe: where fields lie, written elsewhere. */
  offsetsFile?: string;
  toWall(time: BootNs): WallNs;
}

/**
 * @param onFallback told why another source than BPF is taken
 * @throws NOT_SUPPORTED, NOT_PERMITTED, BPF
 */
export function chooseCapture(options: CaptureOptions, onFallback: (line: string) => void): Capture {
  if (options.source === 'ftrace') return new FtraceCapture(options);
  if (options.source === 'kprobe') return new KprobeCapture(options);
  if (options.source === 'bpf') return new BpfCapture(options);
  try {
    return new BpfCapture(options);
  } catch (error) {
    if (!(error instanceof LosslogError) || error.code !== 'NOT_SUPPORTED') throw error;
    const capture = fallback(options, error);
    onFallback(`recording by ftrace, which tells less, because BPF is not possible here: ${error.message}`);
    return capture;
  }
}

/** @throws the reason why BPF does not work when ftrace does not either. */
function fallback(options: CaptureOptions, why: LosslogError): Capture {
  try {
    return new FtraceCapture(options);
  } catch {
    throw why;
  }
}
