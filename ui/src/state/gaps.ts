/** Stretches of the chosen period of which not everything is known. */

import { computed } from '@preact/signals';
import { gapsOf } from '../chart/coverage.ts';
import { parseTime } from '../format/time.ts';
import { series, status } from './data.ts';
import { span } from './view.ts';

const begins = computed(() => {
  const text = status.value.data?.begins;
  return text === undefined ? undefined : parseTime(text);
});

export const gaps = computed(() => gapsOf(series.value.data?.coverage ?? [], span.value, begins.value));
