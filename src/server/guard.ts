/** Requests that are refused before anything looks at what they ask. */

import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { HttpError } from './http-error.ts';

/** @throws HttpError for a method that changes something, a body, or a request that another site's page makes. */
export function checkRequest({ method, headers }: IncomingMessage): void {
  if (method !== 'GET' && method !== 'HEAD') {
    throw new HttpError(405, 'METHOD', `${method} is not answered here`, 'use GET');
  }
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0) {
    throw new HttpError(413, 'BODY', 'a request has no body here');
  }
  // Fetch Metadata (https://www.w3.org/TR/fetch-metadata/): a link from elsewhere may be followed, nothing else.
  if (headers['sec-fetch-site'] === 'cross-site' && headers['sec-fetch-mode'] !== 'navigate') {
    throw new HttpError(403, 'CROSS_SITE', 'another site may not ask here');
  }
}

/**
 * A page may make its own name lead to this address (DNS rebinding) and then read what it likes; the name is still in the
 * Host header. Addresses cannot be made to lead elsewhere.
 * @throws HttpError
 */
export function checkHost({ headers }: IncomingMessage): void {
  const host = headers.host ?? '';
  const name = host.replace(/:\d+$/, '').toLowerCase();
  const address = name.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) !== 0 || name === 'localhost' || name.endsWith('.localhost') || name === hostname().toLowerCase())
    return;
  throw new HttpError(
    421,
    'HOST',
    `this is not the host "${host.slice(0, 100)}"`,
    'ask by address, as localhost or with the token',
  );
}
