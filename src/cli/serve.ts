/** `losslog serve`. */

import type { RecorderStats } from '../export/recorder-metrics.ts';
import { version } from '../recorder/version.ts';
import { DEFAULT_LISTEN, type ListenAddress } from '../server/listen-address.ts';
import type { LiveHub } from '../server/live.ts';
import { type Serving, serve as startServing } from '../server/serve.ts';
import type { TotalsBy } from '../store/totals.ts';
import { storeDir } from './default-store.ts';
import { talk } from './output.ts';

export interface ServeValues {
  store?: string;
  listen?: ListenAddress;
  token?: true;
  'token-file'?: string;
  'metrics-by'?: readonly TotalsBy[];
}

/** What a recorder in this process gives to the server. */
export interface RecorderSide {
  readonly hub: LiveHub;
  stats(): RecorderStats | undefined;
}

/** Serves the store until a signal. */
export async function serve(values: ServeValues): Promise<number> {
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
  const serving = await beginServing(values);
  await stopped;
  await serving.close();
  return 0;
}

/** Starts the server, and says where it is. @param recorder in this process; else the store is followed */
export async function beginServing(values: ServeValues, recorder?: RecorderSide): Promise<Serving> {
  const dir = storeDir(values.store);
  const serving = await startServing({
    storeDir: dir,
    listen: values.listen ?? DEFAULT_LISTEN,
    version: version(),
    ...(values.token ? { token: true } : {}),
    ...(values['token-file'] === undefined ? {} : { tokenFile: values['token-file'] }),
    ...(values['metrics-by'] === undefined ? {} : { metricsBy: values['metrics-by'] }),
    ...(recorder ? { hub: recorder.hub, recorder: () => recorder.stats() } : {}),
    onTalk: talk,
  });
  talk(`serving ${serving.url}/ (the store ${dir})`);
  if (serving.token) {
    talk(
      `whoever asks needs the token in ${serving.token.file}; this link lets one browser in, once, within 15 minutes:`,
    );
    talk(serving.token.link);
    talk(
      'what is sent is not encrypted: use it in a network that you trust, through ssh -L, or behind a proxy with TLS',
    );
  }
  if (!serving.isPageBuilt) talk('the page was not built (npm run setup builds it); the API answers');
  return serving;
}
