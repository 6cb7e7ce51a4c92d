/** The view as parameters of the API. */

import { computed } from '@preact/signals';
import { rfc3339 } from '../format/time.ts';
import { FILTERS } from './address.ts';
import { span, view } from './view.ts';

export type Parameters = Readonly<Record<string, string>>;

/** The filters alone. */
export const filterParameters = computed<Parameters>(() => {
  const { filters, all } = view.value;
  const given = FILTERS.flatMap((name) => (filters[name] === undefined ? [] : [[name, filters[name]] as const]));
  return { ...Object.fromEntries(given), ...(all ? { all: '1' } : {}) };
});

export const periodParameters = computed<Parameters>(() => ({
  since: rfc3339(span.value.from),
  until: rfc3339(span.value.until),
}));

/** Period and filters. */
export const queryParameters = computed<Parameters>(() => ({ ...periodParameters.value, ...filterParameters.value }));
