/** How a recorder is doing, for Prometheus. */

import { NS_PER_S } from '../base/time.ts';
import type { Family } from './prometheus.ts';

export interface RingStats {
  readonly name: string;
  readonly bytes: number;
  /** Bytes that hold records which are not yet stored. */
  readonly used: number;
}

export interface ProgramStats {
  readonly name: string;
  readonly runs: number;
  readonly runNs: number;
}

/** All counts are since the recorder began. */
export interface RecorderStats {
  /** Events committed to the store. */
  readonly stored: number;
  /** Events given up by the store. */
  readonly unstored: number;
  /** Events that wait to be stored. */
  readonly pending: number;
  /** Events that never arrived, by the sentence that says why. */
  readonly lost: ReadonlyMap<string, number>;
  readonly rings: readonly RingStats[];
  /** BPF programs; empty unless the kernel takes their time (sysctl kernel.bpf_stats_enabled). */
  readonly programs: readonly ProgramStats[];
}

export function recorderFamilies({ stored, unstored, pending, lost, rings, programs }: RecorderStats): Family[] {
  return [
    {
      name: 'losslog_recorder_stored_events_total',
      type: 'counter',
      help: 'Events that the recorder committed to the store.',
      samples: [{ value: stored }],
    },
    {
      name: 'losslog_recorder_unstored_events_total',
      type: 'counter',
      help: 'Events that could not be stored (disk full, I/O error).',
      samples: [{ value: unstored }],
    },
    {
      name: 'losslog_recorder_pending_events',
      type: 'gauge',
      help: 'Events that wait to be stored.',
      samples: [{ value: pending }],
    },
    {
      name: 'losslog_recorder_lost_events_total',
      type: 'counter',
      help: 'Events that never reached the recorder, by why.',
      samples: [...lost].map(([why, value]) => ({ labels: { why }, value })),
    },
    {
      name: 'losslog_ring_size_bytes',
      type: 'gauge',
      help: 'Size of a ring buffer between kernel and recorder.',
      samples: rings.map(({ name, bytes }) => ({ labels: { ring: name }, value: bytes })),
    },
    {
      name: 'losslog_ring_used_bytes',
      type: 'gauge',
      help: 'Bytes of a ring buffer that hold records which are not yet stored.',
      samples: rings.map(({ name, used }) => ({ labels: { ring: name }, value: used })),
    },
    {
      name: 'losslog_bpf_runs_total',
      type: 'counter',
      help: 'Runs of a BPF program; only while sysctl kernel.bpf_stats_enabled is 1.',
      samples: programs.map(({ name, runs }) => ({ labels: { program: name }, value: runs })),
    },
    {
      name: 'losslog_bpf_run_seconds_total',
      type: 'counter',
      help: 'Time that a BPF program ran; only while sysctl kernel.bpf_stats_enabled is 1.',
      samples: programs.map(({ name, runNs }) => ({ labels: { program: name }, value: runNs / Number(NS_PER_S) })),
    },
  ];
}
