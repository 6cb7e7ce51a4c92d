/**
 * Who may ask: whoever shows the token, or a browser that came with a one-time code and has had a cookie for it since.
 */

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Lru } from '../base/lru.ts';
import { HttpError } from './http-error.ts';

const COOKIE = 'losslog';
const CODE_LIVES_MS = 15 * 60_000;
const SESSION_LIVES_S = 7 * 86_400;
const MAX_CODES = 16;
const MAX_SESSIONS = 256;
const SECRET_BYTES = 32;

export class Access {
  readonly #token: Buffer | undefined;
  /** Ends of life by the digest of the secret. */
  readonly #codes = new Lru<string, number>(MAX_CODES);
  readonly #sessions = new Lru<string, number>(MAX_SESSIONS);

  /** @param token undefined: everybody who can connect may ask. */
  constructor(token: string | undefined) {
    this.#token = token === undefined ? undefined : digest(token);
  }

  get isOpen(): boolean {
    return this.#token === undefined;
  }

  /** Whether the request carries the token itself, which no page of another site can make a browser send. */
  hasToken({ headers }: IncomingMessage): boolean {
    const shown = /^Bearer +(\S{1,512})$/i.exec(headers.authorization ?? '')?.[1];
    return shown !== undefined && this.#token !== undefined && timingSafeEqual(digest(shown), this.#token);
  }

  /** @throws HttpError 401 */
  check(request: IncomingMessage): void {
    if (this.isOpen || this.hasToken(request) || this.#hasSession(request)) return;
    throw new HttpError(
      401,
      'TOKEN',
      'this needs the token',
      'send it as "Authorization: Bearer TOKEN", or open a link with a one-time code',
    );
  }

  /** The path of a link that lets one browser in, once, within fifteen minutes. */
  makeLink(now = Date.now()): string {
    const code = secret();
    this.#codes.set(key(code), now + CODE_LIVES_MS);
    return `/login?code=${code}`;
  }

  /** The cookie for a code that was not used yet. @throws HttpError 401 */
  redeem(code: string, now = Date.now()): string {
    const end = this.#codes.get(key(code)) ?? 0;
    this.#codes.set(key(code), 0);
    if (end <= now) throw new HttpError(401, 'CODE', 'this link has been used or is too old', 'ask for another one');
    const session = secret();
    this.#sessions.set(key(session), now + SESSION_LIVES_S * 1000);
    return `${COOKIE}=${session}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${SESSION_LIVES_S}`;
  }

  #hasSession({ headers }: IncomingMessage): boolean {
    const shown = new RegExp(`(?:^|; *)${COOKIE}=([\\w-]{1,128})(?:;|$)`).exec(headers.cookie ?? '')?.[1];
    return shown !== undefined && (this.#sessions.get(key(shown)) ?? 0) > Date.now();
  }
}

const secret = (): string => randomBytes(SECRET_BYTES).toString('base64url');
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
/** Secrets are looked up by their digest: how long that takes tells nothing of them. */
const key = (text: string): string => digest(text).toString('base64');
