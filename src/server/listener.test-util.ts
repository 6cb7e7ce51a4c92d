/** Whoever looks on at the live stream. */

import { get, type IncomingMessage } from 'node:http';

export interface Message {
  event: string;
  // biome-ignore lint/suspicious/noExplicitAny: the test asserts what is there
  data: any;
}

/** A browser's EventSource, as far as it matters here. */
export class Listener {
  readonly messages: Message[] = [];
  readonly response: IncomingMessage;
  #onMessage: () => void = () => undefined;

  /** @param base URL of the server */
  static open(base: string, path: string): Promise<Listener> {
    return new Promise((resolve, reject) => {
      get(new URL(path, base), { agent: false }, (response) => resolve(new Listener(response))).on('error', reject);
    });
  }

  constructor(response: IncomingMessage) {
    this.response = response;
    response.setEncoding('utf8');
    let text = '';
    response.on('error', () => undefined);
    response.on('data', (piece: string) => {
      text += piece;
      const blocks = text.split('\n\n');
      text = blocks.pop() as string;
      for (const block of blocks) {
        const match = /^event: (\w+)\ndata: (.*)$/.exec(block);
        if (match) this.messages.push({ event: match[1] as string, data: JSON.parse(match[2] as string) });
      }
      this.#onMessage();
    });
  }

  async until(isDone: () => boolean): Promise<void> {
    while (!isDone()) {
      await new Promise<void>((resolve) => {
        this.#onMessage = resolve;
      });
    }
  }

  of(event: string): Message[] {
    return this.messages.filter((message) => message.event === event);
  }

  get seqs(): number[] {
    return this.of('events').flatMap(({ data }) => data.map(({ seq }: { seq: number }) => seq));
  }
}
