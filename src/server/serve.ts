/** Puts the parts of the server together. */

import { join } from 'node:path';
import { messageOf } from '../base/errors.ts';
import type { RecorderStats } from '../export/recorder-metrics.ts';
import { prepareDirectory } from '../store/directory.ts';
import type { TotalsBy } from '../store/totals.ts';
import { Access } from './access.ts';
import { isLoopback, type ListenAddress, urlOf } from './listen-address.ts';
import type { LiveHub } from './live.ts';
import { liveHandler } from './live-handler.ts';
import { followingHub } from './live-source.ts';
import { Metrics } from './metrics.ts';
import { openApiHandler } from './openapi.ts';
import type { TotalsAnswer } from './queries/totals.ts';
import { QueryHandler } from './query-handler.ts';
import { HttpServer } from './server.ts';
import { StaticFiles } from './static-files.ts';
import { readOrMakeToken } from './token.ts';

export interface ServeOptions {
  readonly storeDir: string;
  readonly listen: ListenAddress;
  /** Of losslog. */
  readonly version: string;
  /** Ask for the token on loopback too. */
  readonly token?: boolean;
  /** Where the token is; default: `token` in the store. */
  readonly tokenFile?: string;
  /** Where live events come from; default: the store is followed. */
  readonly hub?: LiveHub;
  /** Further labels of metrics. */
  readonly metricsBy?: readonly TotalsBy[];
  /** How the recorder in this process is doing; undefined while there is none. */
  readonly recorder?: () => RecorderStats | undefined;
  /** What the user should know, a line each. */
  onTalk(line: string): void;
}

export interface Serving {
  readonly url: string;
  readonly listen: ListenAddress;
  /** The file of the token, where one is asked for, and a link that lets one browser in. */
  readonly token?: { readonly file: string; readonly link: string };
  readonly isPageBuilt: boolean;
  close(): Promise<void>;
}

/** Serves until {@link Serving.close}. @throws what {@link HttpServer.listen} and {@link readOrMakeToken} throw; NOT_PERMITTED when there is no place for the token */
export async function serve(options: ServeOptions): Promise<Serving> {
  const { storeDir, version, listen } = options;
  const needsToken = options.token === true || !isLoopback(listen);
  const tokenFile = options.tokenFile ?? join(storeDir, 'token');
  if (needsToken && options.tokenFile === undefined) prepareDirectory(storeDir);
  const access = new Access(needsToken ? readOrMakeToken(tokenFile) : undefined);
  const files = new StaticFiles();
  const hub = options.hub ?? followingHub(storeDir, (error) => options.onTalk(`live: ${messageOf(error)}`));
  const queries = new QueryHandler({ storeDir, version });
  const metrics = new Metrics({
    version,
    by: options.metricsBy ?? [],
    askStore: async (asked) => (await queries.ask('totals', asked)) as TotalsAnswer,
    live: () => hub.stats,
    recorder: () => options.recorder?.(),
    onError: options.onTalk,
  });
  const server = new HttpServer({
    access,
    files,
    handlers: [openApiHandler(version), metrics.handler, liveHandler(hub), (exchange) => queries.handle(exchange)],
    onPage: () => queries.warm(),
    onError: options.onTalk,
  });
  const bound = await server.listen(listen).catch(async (error) => {
    await queries.close();
    throw error;
  });
  const url = urlOf(bound);
  return {
    url,
    listen: bound,
    ...(needsToken ? { token: { file: tokenFile, link: url + access.makeLink() } } : {}),
    isPageBuilt: files.isBuilt,
    close: async () => {
      await server.close();
      await queries.close();
    },
  };
}
