/** Questions to the server that served this page. */

import { signal } from '@preact/signals';
import type { Parameters } from '../state/query.ts';

/** Why there is no answer. */
export interface ApiProblem {
  /** HTTP status; 0: the server was not reached. */
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

class ApiError extends Error {
  readonly problem: ApiProblem;

  constructor(problem: ApiProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

export function asProblem(error: unknown): ApiProblem {
  if (error instanceof ApiError) return error.problem;
  return {
    status: 0,
    code: 'UNREACHABLE',
    message: 'losslog does not answer',
    hint: 'is `losslog serve` still running?',
  };
}

const TOKEN = 'losslog.token';
/** What the server wants to see where it listens beyond loopback; kept as long as the tab is open. */
export const token = signal(readToken());

function readToken(): string {
  try {
    return sessionStorage.getItem(TOKEN) ?? '';
  } catch {
    return '';
  }
}

export function giveToken(text: string): void {
  token.value = text.trim();
  try {
    sessionStorage.setItem(TOKEN, token.value);
  } catch {}
}

export function addressOf(path: string, parameters: Parameters): string {
  const query = new URLSearchParams(parameters).toString();
  return `api/v1/${path}${query === '' ? '' : `?${query}`}`;
}

/** @throws ApiError, or what fetch throws when the server is not reached. */
export async function request(path: string, parameters: Parameters, abort: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = token.value === '' ? {} : { authorization: `Bearer ${token.value}` };
  const response = await fetch(addressOf(path, parameters), { headers, signal: abort });
  if (!response.ok) throw new ApiError(await problemOf(response));
  return response;
}

export async function get<T>(path: string, parameters: Parameters, abort: AbortSignal): Promise<T> {
  const response = await request(path, parameters, abort);
  return (await response.json()) as T;
}

async function problemOf(response: Response): Promise<ApiProblem> {
  const unknown = { status: response.status, code: 'HTTP', message: `the server answered ${response.status}` };
  try {
    const { error } = (await response.json()) as { error?: Partial<ApiProblem> };
    return { ...unknown, ...error, status: response.status };
  } catch {
    return unknown;
  }
}
