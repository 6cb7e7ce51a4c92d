import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FILTERS, readAddress, TABS, type View, writeAddress } from './address.ts';

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
const time = fc
  .date({ min: new Date('1990-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString());
const view: fc.Arbitrary<View> = fc.record(
  {
    tab: fc.constantFrom(...TABS),
    since: fc.oneof(fc.constantFrom('-1h', '-15m', '-1d12h'), time),
    until: time,
    filters: fc.record(Object.fromEntries(FILTERS.map((name) => [name, text])), {
      requiredKeys: [],
      noNullPrototype: true,
    }),
    all: fc.boolean(),
    order: fc.constantFrom('newest', 'oldest'),
    incident: text,
    event: time,
    src: text,
    dst: text,
  },
  { requiredKeys: ['tab', 'since', 'filters', 'all', 'order'], noNullPrototype: true },
);

const given = (one: View): object => JSON.parse(JSON.stringify(one));

test('an address is read as the view that it was written from', () => {
  fc.assert(fc.property(view, (one) => assert.deepEqual(given(readAddress(writeAddress(one))), given(one))));
});

test('the start page has no query', () => {
  assert.equal(writeAddress(readAddress('')), '');
});

test('what is not understood is left out', () => {
  const { tab, since, until, filters } = readAddress('?view=x&since=soon&until=&colour=red&peer=');
  assert.deepEqual({ tab, since, until, filters }, { tab: 'breakdown', since: '-1h', until: undefined, filters: {} });
});
