/** A server on a store of its own, and requests to it. */

import { request } from 'node:http';
import type { TestContext } from 'node:test';
import type { Event } from '../event/kinds.ts';
import { openWriter, temporaryDirectory } from '../store/temporary-store.test-util.ts';
import { type ServeOptions, type Serving, serve } from './serve.ts';

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

/** What a test looks into without a type. */
// biome-ignore lint/suspicious/noExplicitAny: the test asserts what is there
export type AnyJson = any;

export interface Asked {
  method?: string;
  headers?: Record<string, string>;
}

export class Site {
  readonly serving: Serving;
  readonly talk: readonly string[];

  private constructor(serving: Serving, talk: readonly string[]) {
    this.serving = serving;
    this.talk = talk;
  }

  /** Serves a store with these events until the test ends. */
  static async start(t: TestContext, events: readonly Event[], options: Partial<ServeOptions> = {}): Promise<Site> {
    let serving: Serving | undefined;
    // Before the directory is removed: threads of the server may be reading it.
    t.after(() => serving?.close());
    const storeDir = options.storeDir ?? temporaryDirectory(t);
    const writer = openWriter(storeDir);
    writer.write(events);
    writer.close();
    const talk: string[] = [];
    serving = await serve({
      storeDir,
      listen: { address: '127.0.0.1', port: 0 },
      version: '1.2.3',
      onTalk: (line) => talk.push(line),
      ...options,
    });
    return new Site(serving, talk);
  }

  /** As it is asked: nothing is normalised, and every header can be given. */
  ask(path: string, { method = 'GET', headers = {} }: Asked = {}): Promise<Answer> {
    const { address, port } = this.serving.listen;
    return new Promise((resolve, reject) => {
      const asked = request({ host: address, port, path, method, headers, agent: false }, (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces) }),
        );
      });
      asked.on('error', reject);
      asked.end();
    });
  }

  /** The JSON of an answer. @throws unless its status is 200 */
  async json(path: string, asked?: Asked): Promise<AnyJson> {
    const { status, body } = await this.ask(path, asked);
    if (status !== 200) throw new Error(`${path}: ${status} ${body}`);
    return JSON.parse(String(body));
  }
}
