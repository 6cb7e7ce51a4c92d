/** Which source of events this host allows. */

import { LosslogError } from '../base/errors.ts';
import type { BootNs, WallNs } from '../base/time.ts';
import type { Capture, SourceName } from '../capture/capture.ts';
import type { Limits } from '../capture/limits.ts';
import type { PinSet } from '../capture/pin-set.ts';
import type { Snaplen } from '../capture/snaplen.ts';

export interface CaptureOptions {
  /** The source that the user asks for; else the best that works here. */
  source?: SourceName;
  netns: readonly number[];
  drops: boolean;
  limits: Limits;
  /** Time between two reports of a connection that lives and goes on resending. */
  reportIntervalMs?: number;
  /** How much of a dropped packet is kept. */
  snaplen?: Snaplen;
  /** Of the source kprobe: where fields lie, written elsewhere. */
  offsetsFile?: string;
  /** Of the source bpf: where programs at work may be found. */
  pins?: PinSet | undefined;
  toWall(time: BootNs): WallNs;
}

/** What each source needs is loaded with it: a recorder lives for months, and its memory is the host's. */
async function open(source: SourceName, options: CaptureOptions): Promise<Capture> {
  if (source === 'ftrace') return new (await import('../capture/tracefs/ftrace-capture.ts')).FtraceCapture(options);
  if (source === 'kprobe') return new (await import('../capture/tracefs/kprobe-capture.ts')).KprobeCapture(options);
  return (await import('../capture/bpf-capture.ts')).BpfCapture.open(options);
}

/**
 * @param onFallback told why another source than BPF is taken
 * @throws NOT_SUPPORTED, NOT_PERMITTED, BPF
 */
export async function chooseCapture(options: CaptureOptions, onFallback: (line: string) => void): Promise<Capture> {
  if (options.source !== undefined) return open(options.source, options);
  try {
    return await open('bpf', options);
  } catch (error) {
    if (!(error instanceof LosslogError) || error.code !== 'NOT_SUPPORTED') throw error;
    const capture = await fallback(options, error);
    onFallback(`recording by ftrace, which tells less, because BPF is not possible here: ${error.message}`);
    return capture;
  }
}

/** @throws the reason why BPF does not work when ftrace does not either. */
async function fallback(options: CaptureOptions, why: LosslogError): Promise<Capture> {
  try {
    return await open('ftrace', options);
  } catch {
    throw why;
  }
}
