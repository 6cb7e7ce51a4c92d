/** JSON Schemas of what the API answers; those of events are made from the field tables. */

import type { Field, FieldType } from '../event/field.ts';
import { fieldsOf, KINDS, type Kind } from '../event/kinds.ts';
import type { Schema } from './parameter.ts';

export const timeSchema = (description: string): Schema => ({ type: 'string', format: 'date-time', description });
export const countSchema = (description: string): Schema => ({ type: 'integer', minimum: 0, description });

function typeSchema(type: FieldType): Schema {
  switch (type) {
    case 'int':
      return { type: 'integer' };
    case 'u64':
      return { type: 'integer', minimum: 0 };
    case 'ratio':
      return { type: 'number' };
    case 'wall':
      return { type: 'string', format: 'date-time' };
    case 'ip':
    case 'text':
      return { type: 'string' };
    default:
      return { type: 'string', enum: type.values };
  }
}

function fieldSchema({ type, unit, doc }: Field): Schema {
  return { ...typeSchema(type), description: unit === undefined ? doc : `${doc} In ${unit}.` };
}

/** The schema of one kind of event. Further fields may be added by later releases. */
function kindSchema(kind: Kind): Schema {
  const fields = Object.entries(fieldsOf(kind));
  return {
    type: 'object',
    title: kind,
    required: ['kind', ...fields.filter(([, { required }]) => required).map(([name]) => name)],
    properties: {
      kind: { const: kind },
      ...Object.fromEntries(fields.map(([name, field]) => [name, fieldSchema(field)])),
    },
  };
}

/** The schemas that others refer to, by name. */
export const components: Readonly<Record<string, Schema>> = {
  ...Object.fromEntries(KINDS.map((kind) => [kind, kindSchema(kind)])),
  event: {
    type: 'object',
    properties: { kind: { type: 'string', enum: KINDS } },
    required: ['kind'],
    description: 'An event, as --json prints it. A field is absent when it is not known.',
    oneOf: KINDS.map((kind) => ({ $ref: `#/components/schemas/${kind}` })),
    discriminator: { propertyName: 'kind' },
  },
  error: {
    type: 'object',
    required: ['error'],
    properties: {
      error: {
        type: 'object',
        required: ['code', 'message'],
        properties: {
          code: { type: 'string', description: 'What a program may branch on.' },
          message: { type: 'string' },
          hint: { type: 'string', description: 'What to do about it.' },
        },
      },
    },
  },
};

export const eventSchema: Schema = { $ref: '#/components/schemas/event' };
export const coverageSchema: Schema = { $ref: '#/components/schemas/coverage' };

export const leftOutSchema: Schema = {
  type: 'object',
  required: ['benign'],
  properties: {
    benign: countSchema('Benign drops that are left out (all=true shows them).'),
    atLeast: { const: true, description: 'Counting ended there.' },
  },
};

export const skippedSchema: Schema = {
  type: 'array',
  description: 'Damaged slices of the store that are left out; absent when there are none.',
  items: {
    type: 'object',
    required: ['file', 'why'],
    properties: { file: { type: 'string' }, why: { type: 'string' } },
  },
};
