import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import fc from 'fast-check';
import { wallNs } from '../base/time.ts';
import { toJson } from '../event/json.ts';
import type { Event } from '../event/kinds.ts';
import { anyEvent, EPOCH } from '../store/arbitrary-event.test-util.ts';
import { endpoints } from './endpoints.ts';
import { openApi } from './openapi.ts';
import { components } from './schemas.ts';
import { Site } from './serving.test-util.ts';

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, discriminator: true });
formats.default(ajv);
ajv.addVocabulary(['components', 'example']);
ajv.addSchema({ $id: 'losslog', components: { schemas: closed(components) } });

/**
 * The same schema without room for what it does not name: later releases may add members, but this one must not write any that it does
 * not describe. Alternatives are closed each by itself.
 */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([name, part]) => [name, closed(part)]));
  return 'properties' in inner && !('oneOf' in inner) ? { ...inner, additionalProperties: false } : inner;
}

/** Checks a value against a schema of ours, whose references mean the document. */
function check(schema: object, value: unknown, what: string): void {
  const validate = ajv.compile(JSON.parse(JSON.stringify(closed(schema)).replaceAll('"#/', '"losslog#/')));
  assert.ok(validate(value), `${what}: ${ajv.errorsText(validate.errors)}`);
}

test('the document is OpenAPI 3.1', async (t) => {
  const { valid, errors } = await new Validator().validate(JSON.parse(JSON.stringify(openApi('1.2.3'))));
  assert.ok(valid, JSON.stringify(errors));
  const site = await Site.start(t, []);
  assert.deepEqual(await site.json('/api/v1/openapi.json'), JSON.parse(JSON.stringify(openApi('1.2.3'))));
});

test('operations have names of their own', () => {
  const { paths } = openApi('0') as { paths: Record<string, { get: { operationId: string } }> };
  const ids = Object.values(paths).map(({ get }) => get.operationId);
  assert.deepEqual(ids, [...new Set(ids)]);
  for (const id of ids) assert.match(id, /^[a-z]+([A-Z][a-z]*)*$/);
});

test('every event is as its schema says', () => {
  const validate = ajv.compile({ $ref: 'losslog#/components/schemas/event' });
  fc.assert(
    fc.property(anyEvent, (event) => {
      const json = JSON.parse(toJson(event));
      assert.ok(validate(json), `${JSON.stringify(json)}: ${ajv.errorsText(validate.errors)}`);
    }),
    { numRuns: 500 },
  );
});

test('every answer is as its schema says', async (t) => {
  // Of what a kernel can tell: ports have 16 bits, and counters times that a clock shows.
  const isReal = (event: Event): boolean => {
    const { sport = 0, dport = 0 } = event as { sport?: number; dport?: number };
    return event.kind !== 'counter' && sport < 65_536 && dport < 65_536;
  };
  const site = await Site.start(t, fc.sample(anyEvent, { numRuns: 500, seed: 7 }).filter(isReal));
  const { incidents } = await site.json('/api/v1/incidents');
  assert.ok(incidents.length > 0, 'arbitrary events make incidents');
  const needed: Record<string, string> = {
    '/api/v1/top': '?by=netns',
    '/api/v1/connection': '?src=10.0.0.1:443&dst=10.0.0.2:443',
  };
  for (const { path, schema } of endpoints.filter(({ path }) => !path.includes('{'))) {
    const asked = path + (needed[path] ?? '');
    check(schema, await site.json(asked), asked);
  }
});

test('what an incident rests on is as its schema says', async (t) => {
  const drop = { kind: 'drop', class: 'loss', reason: 'NETFILTER_DROP', process: 'nginx' } as const;
  const events = Array.from({ length: 7 }, (_, i) => ({ ...drop, time: wallNs(EPOCH + BigInt(i)) }) as Event);
  const site = await Site.start(t, events);
  const { incidents } = await site.json('/api/v1/incidents');
  const { schema, path } = endpoints.find((endpoint) => endpoint.path.includes('{id}')) ?? assert.fail();
  const asked = path.replace('{id}', incidents[0].incident);
  check(schema, await site.json(asked), asked);
});
