/** Server-sent events over fetch(): unlike EventSource it can carry the token. */

/** One message: its `event:` and its `data:`. */
export interface Message {
  readonly event: string;
  readonly data: string;
}

/** Cuts a stream of text into messages (HTML Living Standard 9.2.6; `id:` and `retry:` are left out). */
export class MessageCutter {
  #rest = '';

  /** @returns the messages that are whole now */
  take(text: string): Message[] {
    this.#rest += text;
    const parts = this.#rest.split(/\r?\n\r?\n/);
    this.#rest = parts.pop() ?? '';
    return parts.map(messageOf).filter((message) => message !== undefined);
  }
}

function messageOf(block: string): Message | undefined {
  let event = 'message';
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5));
    else if (line.startsWith('event:')) event = line.slice(6).trim();
  }
  return data.length === 0 ? undefined : { event, data: data.join('\n') };
}

/** Calls `take` for each message until the stream ends. @throws when the connection breaks */
export async function readMessages(response: Response, take: (message: Message) => void): Promise<void> {
  const cutter = new MessageCutter();
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const part = await reader?.read();
    if (!part || part.done) return;
    for (const message of cutter.take(part.value)) take(message);
  }
}
