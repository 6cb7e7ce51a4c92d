/** What the page asks of the server: asked again when what it depends on changes, the older answer staying until the newer is there. */

import { effect, type ReadonlySignal, signal } from '@preact/signals';
import { type ApiProblem, asProblem, get } from '../api/client.ts';
import type { Parameters } from './query.ts';

export interface Request {
  readonly path: string;
  readonly parameters: Parameters;
  /** A change of it makes the page ask anew. */
  readonly again?: number;
}

export interface Answer<T> {
  readonly data?: T;
  readonly problem?: ApiProblem;
  /** A newer answer is under way. */
  readonly isLoading: boolean;
  /** The request that `data` answers. */
  readonly of?: Request;
}

/** @param request reads signals; undefined: nothing of this is shown now, so nothing is asked. */
export function resource<T>(request: () => Request | undefined): ReadonlySignal<Answer<T>> {
  const answer = signal<Answer<T>>({ isLoading: true });
  let key: string | undefined;
  let running: AbortController | undefined;
  effect(() => {
    const asked = request();
    const next = asked && JSON.stringify(asked);
    if (next === key) return;
    key = next;
    running?.abort();
    if (!asked) return;
    running = new AbortController();
    void ask(answer, asked, running.signal);
  });
  return answer;
}

async function ask<T>(
  answer: { value: Answer<T>; peek(): Answer<T> },
  request: Request,
  abort: AbortSignal,
): Promise<void> {
  const { data, of } = answer.peek();
  answer.value = data === undefined ? { isLoading: true } : { data, isLoading: true, ...(of && { of }) };
  try {
    const found = await get<T>(request.path, request.parameters, abort);
    if (!abort.aborted) answer.value = { data: found, isLoading: false, of: request };
  } catch (error) {
    if (!abort.aborted) answer.value = { problem: asProblem(error), isLoading: false };
  }
}
