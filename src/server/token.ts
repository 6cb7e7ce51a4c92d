/** The secret that opens the server to others, in a file of its owner. */

import { randomBytes } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { errnoOf, LosslogError, messageOf } from '../base/errors.ts';

const TOKEN_BYTES = 32;
const MIN_LENGTH = 20;
const GROUP_AND_OTHERS = 0o077;

/**
 * The token in the file; makes the file (mode 0600) where there is none.
 * @throws NOT_PERMITTED when others may read it, FILE
 */
export function readOrMakeToken(path: string): string {
  try {
    writeFileSync(path, `${randomBytes(TOKEN_BYTES).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw fileError(path, 'make', error);
  }
  return readToken(path);
}

function readToken(path: string): string {
  try {
    if ((statSync(path).mode & GROUP_AND_OTHERS) !== 0) {
      throw new LosslogError('NOT_PERMITTED', `${path} can be read by others`, { hint: `run: chmod 600 ${path}` });
    }
    const token = readFileSync(path, 'utf8').trim();
    if (token.length >= MIN_LENGTH) return token;
  } catch (error) {
    if (error instanceof LosslogError) throw error;
    throw fileError(path, 'read', error);
  }
  throw new LosslogError('FILE', `${path} holds no token of at least ${MIN_LENGTH} characters`, {
    hint: 'remove it; a new one is made',
  });
}

function fileError(path: string, what: string, error: unknown): LosslogError {
  const isForbidden = ['EACCES', 'EPERM', 'EROFS'].includes(errnoOf(error) ?? '');
  return new LosslogError(
    isForbidden ? 'NOT_PERMITTED' : 'FILE',
    `cannot ${what} the token ${path}: ${messageOf(error)}`,
    {
      hint: 'name another file with --token-file FILE',
      cause: error,
    },
  );
}
