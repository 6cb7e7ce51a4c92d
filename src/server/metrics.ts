/** `GET /metrics` */

import { messageOf } from '../base/errors.ts';
import { type Family, METRICS_TYPE, metricsText } from '../export/prometheus.ts';
import { type RecorderStats, recorderFamilies } from '../export/recorder-metrics.ts';
import type { TotalsBy } from '../store/totals.ts';
import type { LiveStats } from './live.ts';
import type { TotalsAnswer, TotalsAsked } from './queries/totals.ts';
import { reply } from './reply.ts';
import type { Handler } from './server.ts';
import { StoreCounters } from './store-counters.ts';

export const METRICS_PATH = '/metrics';

export interface MetricsSources {
  readonly version: string;
  /** Labels that the user asked for. */
  readonly by: readonly TotalsBy[];
  /** @throws LosslogError when the store cannot be read */
  askStore(asked: TotalsAsked): Promise<TotalsAnswer>;
  live(): LiveStats;
  /** Of the recorder in this process; undefined while there is none. */
  recorder(): RecorderStats | undefined;
  onError(message: string): void;
}

export class Metrics {
  readonly #sources: MetricsSources;
  readonly #counters = new StoreCounters();
  readonly #started = Date.now() / 1000;
  #begun: Promise<unknown>;
  /** The look at the store that is going on: scrapes at once share it. */
  #looking: Promise<TotalsAnswer> | undefined;

  constructor(sources: MetricsSources) {
    this.#sources = sources;
    // Without a store everything that will be in it counts.
    this.#begun = this.#ask().then(
      ({ slices }) => this.#counters.begin(slices),
      () => undefined,
    );
  }

  readonly handler: Handler = async ({ response, path }) => {
    if (path !== METRICS_PATH) return false;
    reply(response, 200, METRICS_TYPE, metricsText(await this.#families()));
    return true;
  };

  async #families(): Promise<Family[]> {
    const store = await this.#storeFamilies();
    const recorder = this.#sources.recorder();
    return [...store, ...(recorder ? recorderFamilies(recorder) : []), ...this.#ownFamilies()];
  }

  async #storeFamilies(): Promise<Family[]> {
    let answer: TotalsAnswer | undefined;
    try {
      await this.#begun;
      this.#looking ??= this.#ask().finally(() => {
        this.#looking = undefined;
      });
      answer = await this.#looking;
      this.#counters.add(answer.slices);
    } catch (error) {
      this.#sources.onError(`metrics: ${messageOf(error)}`);
    }
    return [...storeGauges(answer), ...this.#counters.families()];
  }

  #ask(): Promise<TotalsAnswer> {
    return this.#sources.askStore({ known: this.#counters.known, by: this.#sources.by });
  }

  #ownFamilies(): Family[] {
    const { user, system } = process.cpuUsage();
    const { clients, lost } = this.#sources.live();
    return [
      gauge('losslog_build_info', 'Version of losslog.', 1, { version: this.#sources.version }),
      gauge('losslog_live_clients', 'Who looks on at the live stream.', clients),
      counter('losslog_live_lost_events_total', 'Events that slow clients of the live stream were not sent.', lost),
      counter('process_cpu_seconds_total', 'CPU time of this process.', (user + system) / 1e6),
      gauge('process_resident_memory_bytes', 'Resident memory of this process.', process.memoryUsage.rss()),
      gauge('process_start_time_seconds', 'When this process began to serve, since 1970.', this.#started),
    ];
  }
}

function storeGauges(answer: TotalsAnswer | undefined): Family[] {
  const readable = gauge('losslog_store_up', 'Whether the store could be read for this scrape.', answer ? 1 : 0);
  if (!answer) return [readable];
  const { isRecording, begins, bytes, files } = answer;
  return [
    readable,
    gauge('losslog_recorder_up', 'Whether a recorder writes to the store.', isRecording ? 1 : 0),
    gauge('losslog_store_size_bytes', 'Size of the store.', bytes),
    gauge('losslog_store_slices', 'Files of the store.', files),
    ...(begins === undefined
      ? []
      : [gauge('losslog_history_begin_timestamp_seconds', 'Since when the store has a history, since 1970.', begins)]),
  ];
}

const gauge = (name: string, help: string, value: number, labels: Record<string, string> = {}): Family => ({
  name,
  type: 'gauge',
  help,
  samples: [{ labels, value }],
});

const counter = (name: string, help: string, value: number): Family => ({
  ...gauge(name, help, value),
  type: 'counter',
});
