/** Parameters of a query string: the table that describes them, and the one parser. */

import { LosslogError } from '../base/errors.ts';
import { didYouMean } from '../base/suggest.ts';

/** A JSON Schema, as far as OpenAPI 3.1 needs it here. */
export type Schema = Readonly<Record<string, unknown>>;

export interface Parameter<T> {
  /** One sentence: what it does. */
  doc: string;
  schema: Schema;
  /** @throws USAGE when the text is no such value. */
  parse(text: string): T;
  /** May be given several times. */
  several?: true;
  required?: true;
}

export type ParameterTable = Readonly<Record<string, Parameter<unknown>>>;

type ValueOf<P> = P extends Parameter<infer T> ? (P extends { several: true } ? T[] : T) : never;
type RequiredNames<P extends ParameterTable> = { [N in keyof P]: P[N] extends { required: true } ? N : never }[keyof P];

/** What was given, by name. */
export type ValuesOf<P extends ParameterTable> = { [N in RequiredNames<P>]: ValueOf<P[N]> } & {
  [N in Exclude<keyof P, RequiredNames<P>>]?: ValueOf<P[N]>;
};

/** Reads a query string. @throws USAGE, its message naming the parameter. */
export function parseParameters<P extends ParameterTable>(table: P, given: URLSearchParams): ValuesOf<P> {
  const values: Record<string, unknown> = {};
  for (const [name, text] of given) {
    const parameter = Object.hasOwn(table, name) ? table[name] : undefined;
    if (!parameter) {
      throw new LosslogError('USAGE', `there is no parameter "${name}"`, {
        hint: didYouMean(name, Object.keys(table)),
      });
    }
    const value = parseValue(name, parameter, text);
    if (parameter.several) values[name] = [...((values[name] as unknown[] | undefined) ?? []), value];
    else if (Object.hasOwn(values, name)) throw new LosslogError('USAGE', `${name} is given twice`);
    else values[name] = value;
  }
  for (const [name, { required, doc }] of Object.entries(table)) {
    if (required && !Object.hasOwn(values, name)) {
      throw new LosslogError('USAGE', `${name} is missing`, { hint: `give ${name}=…: ${doc}` });
    }
  }
  return values as ValuesOf<P>;
}

function parseValue(name: string, parameter: Parameter<unknown>, text: string): unknown {
  try {
    return parameter.parse(text);
  } catch (error) {
    if (!(error instanceof LosslogError)) throw error;
    const details = error.hint === undefined ? {} : { hint: error.hint };
    throw new LosslogError(error.code, `${name}: ${error.message}`, { ...details, cause: error });
  }
}
