/** The HTTP server: refuses what it should, and hands the rest to who answers it. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { errnoOf, LosslogError, messageOf } from '../base/errors.ts';
import type { Access } from './access.ts';
import { checkHost, checkRequest } from './guard.ts';
import { HttpError } from './http-error.ts';
import type { ListenAddress } from './listen-address.ts';
import { NOT_BUILT_PAGE, WELCOME_PAGE } from './pages.ts';
import { HTML_TYPE, JSON_TYPE, reply, replyError, SECURITY_HEADERS } from './reply.ts';
import type { StaticFiles } from './static-files.ts';

/** What a request asks, and for whom the answer is. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Answers a request, or says that the path is not its own. */
export type Handler = (exchange: Exchange) => Promise<boolean> | boolean;

export interface ServerParts {
  readonly access: Access;
  readonly files: StaticFiles;
  readonly handlers: readonly Handler[];
  /** Called when somebody who may ask questions loads the page: the questions come next. */
  onPage(): void;
  /** Told of what should not happen. */
  onError(message: string): void;
}

/** A request must have come within this: no connection is held by one that never ends. */
const REQUEST_MS = 10_000;
const KEEP_ALIVE_MS = 15_000;
const MAX_CONNECTIONS = 256;
const MAX_HEADER_BYTES = 16_384;
const MAX_HEADERS = 100;

export class HttpServer {
  readonly #server: Server;
  readonly #parts: ServerParts;

  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.#server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: REQUEST_MS,
        requestTimeout: REQUEST_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        connectionsCheckingInterval: 2000,
      },
      (request, response) => void this.#handle(request, response),
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.maxHeadersCount = MAX_HEADERS;
    this.#server.on('clientError', refuse);
    // No other protocol and no body is spoken here.
    this.#server.on('upgrade', (_request, socket: Socket) => refuse(undefined, socket));
    this.#server.on('connect', (_request, socket: Socket) => refuse(undefined, socket));
    this.#server.on('checkContinue', (request, response) => void this.#handle(request, response));
    this.#server.on('checkExpectation', (request, response) => void this.#handle(request, response));
  }

  /** @throws NOT_PERMITTED, NOT_FOUND (no such address), STORE (in use) */
  async listen({ address, port }: ListenAddress): Promise<ListenAddress> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(listenError(address, port, error)));
      this.#server.listen({ host: address, port }, resolve);
    });
    this.#server.on('error', (error) => this.#parts.onError(messageOf(error)));
    const bound = this.#server.address() as AddressInfo;
    return { address: bound.address, port: bound.port };
  }

  /** Ends every connection. */
  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    return closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined); // the client has gone away
    request.on('error', () => undefined);
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    try {
      await this.#answer(request, response);
    } catch (error) {
      if (!(error instanceof HttpError) && !(error instanceof LosslogError && error.code !== 'INTERNAL')) {
        this.#parts.onError(`a request failed: ${messageOf(error)}`);
      }
      replyError(response, error);
    }
    // A body that nobody reads would hold the connection.
    if (!request.complete) response.once('finish', () => request.socket.destroySoon());
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { access, files, handlers, onPage } = this.#parts;
    checkRequest(request);
    if (!access.hasToken(request)) checkHost(request);
    const exchange = exchangeOf(request, response);
    if (exchange.path === '/login' && !access.isOpen) return this.#login(exchange);
    if (exchange.path === '/' && access.isOpen) onPage();
    // The page itself is no secret; it asks for the token when an answer is refused.
    if (files.serve(exchange.path, request, response)) return;
    access.check(request);
    if (exchange.path === '/api/v1/login-link') return this.#loginLink(exchange);
    for (const handler of handlers) if (await handler(exchange)) return;
    if (exchange.path === '/') return reply(response, 503, HTML_TYPE, NOT_BUILT_PAGE);
    throw new HttpError(404, 'NOT_FOUND', 'there is nothing at this path', '/api/v1/openapi.json lists what there is');
  }

  #login({ request, response, query }: Exchange): void {
    // HEAD is what programs send that only look at a link.
    const isLooking = request.method === 'HEAD';
    const cookie = isLooking ? {} : { 'Set-Cookie': this.#parts.access.redeem(query.get('code') ?? '') };
    reply(response, 200, HTML_TYPE, WELCOME_PAGE, cookie);
  }

  #loginLink({ request, response }: Exchange): void {
    const { access } = this.#parts;
    if (!access.hasToken(request)) throw new HttpError(403, 'TOKEN', 'only who sends the token gets a link');
    reply(response, 200, JSON_TYPE, JSON.stringify({ path: access.makeLink() }));
  }
}

/** @throws HttpError when the target is no path. */
function exchangeOf(request: IncomingMessage, response: ServerResponse): Exchange {
  const target = request.url ?? '';
  if (!target.startsWith('/')) throw new HttpError(400, 'PATH', 'a request names a path here');
  const [path = '', ...rest] = target.split('?');
  return { request, response, path, query: new URLSearchParams(rest.join('?')) };
}

/** What cannot be understood is told so in words and cut off. */
function refuse(_error: unknown, socket: Socket): void {
  if (socket.destroyed || !socket.writable) return void socket.destroy();
  const body = '{"error":{"code":"HTTP","message":"this is not a request that is understood here"}}';
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nContent-Type: ${JSON_TYPE}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

function listenError(address: string, port: number, error: unknown): LosslogError {
  const at = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  const errno = errnoOf(error);
  const details = { hint: 'give another address with --listen ADDR:PORT', cause: error };
  if (errno === 'EACCES') return new LosslogError('NOT_PERMITTED', `cannot listen on ${at}: not permitted`, details);
  if (errno === 'EADDRINUSE') return new LosslogError('LIMIT', `cannot listen on ${at}: the port is in use`, details);
  return new LosslogError('NOT_FOUND', `cannot listen on ${at}: ${messageOf(error)}`, details);
}
