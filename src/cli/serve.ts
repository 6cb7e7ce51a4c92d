/** `losslog serve`. */

import { version } from '../recorder/version.ts';
import { DEFAULT_LISTEN, type ListenAddress } from '../server/listen-address.ts';
import type { LiveHub } from '../server/live.ts';
import { type Serving, serve as startServing } from '../server/serve.ts';
import { storeDir } from './default-store.ts';
import { talk } from './output.ts';

export interface ServeValues {
  store?: string;
  listen?: ListenAddress;
  token?: true;
  'token-file'?: string;
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

/** Starts the server, and says where it is. @param hub where live events come from, if not from the store */
export async function beginServing(values: ServeValues, hub?: LiveHub): Promise<Serving> {
  const dir = storeDir(values.store);
  const serving = await startServing({
    storeDir: dir,
    listen: values.listen ?? DEFAULT_LISTEN,
    version: version(),
    ...(values.token ? { token: true } : {}),
    ...(values['token-file'] === undefined ? {} : { tokenFile: values['token-file'] }),
    ...(hub ? { hub } : {}),
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
