/**
 * The one error type of losslog and the closed catalogue of its codes.
 *
 * An error says what happened (`message`), where known why (`cause`), and what to do about it (`hint`).
 * Layers below `cli` throw; only `cli` prints and turns a code into an exit code.
 */

/** What a caller may branch on. The exit code of each is fixed in {@link exitCodeOf}. */
export type ErrorCode =
  /** Wrong use of the command line or of a public function. */
  | 'USAGE'
  /** The caller lacks a right (capability, file mode). */
  | 'NOT_PERMITTED'
  /** This kernel or this host cannot do it. */
  | 'NOT_SUPPORTED'
  /** A named thing (namespace, store, file) does not exist. */
  | 'NOT_FOUND'
  /** Bytes do not have the form that they should have. */
  | 'DECODE'
  /** The store cannot be read or written. */
  | 'STORE'
  /** The store was written by a newer losslog. */
  | 'STORE_VERSION'
  /** A file that is not of the store cannot be read or written. */
  | 'FILE'
  /** A bound of losslog's own (time, memory, how many at once) does not allow it. */
  | 'LIMIT'
  /** The kernel refused a BPF operation. */
  | 'BPF'
  /** A defect of losslog itself. */
  | 'INTERNAL';

export interface ErrorDetails {
  /** What the user can do now, an imperative sentence without a full stop. */
  hint?: string;
  cause?: unknown;
}

/** An error with a code and, where there is one, a hint. */
export class LosslogError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'LosslogError';
    this.code = code;
    this.hint = details.hint;
  }
}

/** The exit code of the command-line contract: 1 failed, 2 wrong use, 3 not permitted or not supported here. */
export function exitCodeOf(error: unknown): 1 | 2 | 3 {
  if (!(error instanceof LosslogError)) return 1;
  switch (error.code) {
    case 'USAGE':
      return 2;
    case 'NOT_PERMITTED':
    case 'NOT_SUPPORTED':
      return 3;
    default:
      return 1;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `errno` name (`ENOENT`) of a failed system call, or undefined. */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}
