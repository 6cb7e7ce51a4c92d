/** Answers that are written at once. */

import type { ServerResponse } from 'node:http';
import { escapeJson } from '../base/escape.ts';
import { type HttpError, toHttpError } from './http-error.ts';

export const JSON_TYPE = 'application/json; charset=utf-8';
export const HTML_TYPE = 'text/html; charset=utf-8';

/** Of every answer. Scripts, styles and connections only from here, nothing inline; no frame may show it. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

export function reply(
  response: ServerResponse,
  status: number,
  type: string,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': bytes.length, ...headers });
  response.end(bytes);
}

/** The error as `{"error": {"code", "message", "hint"}}`; when the answer has begun already, the connection is cut. */
export function replyError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const found = toHttpError(error);
  const headers: Record<string, string> = {};
  if (found.status === 405) headers.Allow = 'GET, HEAD';
  if (found.status === 401) headers['WWW-Authenticate'] = 'Bearer realm="losslog"';
  if (found.status === 503) headers['Retry-After'] = '1';
  reply(response, found.status, JSON_TYPE, errorBody(found), headers);
}

function errorBody({ code, message, hint }: HttpError): string {
  return escapeJson(JSON.stringify({ error: hint === undefined ? { code, message } : { code, message, hint } }));
}
