/** Errors as HTTP tells them. */

import { type ErrorCode, LosslogError } from '../base/errors.ts';

/** What a request may be refused with beyond what losslog itself raises. */
export class HttpError extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string | undefined;

  constructor(status: number, code: string, message: string, hint?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

const STATUS: Readonly<Record<ErrorCode, number>> = {
  USAGE: 400,
  NOT_PERMITTED: 403,
  NOT_FOUND: 404,
  NOT_SUPPORTED: 501,
  LIMIT: 503,
  DECODE: 500,
  STORE: 500,
  STORE_VERSION: 500,
  FILE: 500,
  BPF: 500,
  INTERNAL: 500,
};

/** What an error is to the one who asked. Of a defect of losslog itself only that it is one: its message may hold anything. */
export function toHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof LosslogError && error.code !== 'INTERNAL') {
    return new HttpError(STATUS[error.code], error.code, error.message, error.hint);
  }
  return new HttpError(500, 'INTERNAL', 'losslog failed to answer', 'look at what it says on stderr');
}
