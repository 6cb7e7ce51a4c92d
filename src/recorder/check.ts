/** One finding about this host. */

import { LosslogError, messageOf } from '../base/errors.ts';

export interface Check {
  name: string;
  /** `missing`: nothing can be recorded without it. `limited`: recording works, and `consequence` says what is not seen. */
  state: 'ok' | 'limited' | 'missing';
  detail: string;
  consequence?: string;
  remedy?: string;
}

/** Runs one check, which returns what it found or throws why not; the hint of what it throws is the remedy. */
export function attempt(name: string, failed: 'limited' | 'missing', look: () => string, consequence?: string): Check {
  try {
    return { name, state: 'ok', detail: look() };
  } catch (error) {
    return finding(name, failed, messageOf(error), consequence, error instanceof LosslogError ? error.hint : undefined);
  }
}

/** A check without what is unknown. */
export function finding(
  name: string,
  state: Check['state'],
  detail: string,
  consequence?: string,
  remedy?: string,
): Check {
  return {
    name,
    state,
    detail,
    ...(consequence === undefined ? {} : { consequence }),
    ...(remedy === undefined ? {} : { remedy }),
  };
}
