/** One question that the API answers: what dispatch, the worker threads and the OpenAPI document derive from. */

import type { WallNs } from '../base/time.ts';
import type { StoreReader } from '../store/store.ts';
import type { ParameterTable, Schema, ValuesOf } from './parameter.ts';

/** What a query may use. It runs in a worker thread. */
export interface QueryContext {
  readonly reader: StoreReader;
  readonly storeDir: string;
  /** The moment of the request. */
  readonly now: WallNs;
  /** Of losslog. */
  readonly version: string;
  /** Throws when the query has been given up or has taken too long; to be called where no slice is read. */
  checkpoint(): void;
}

export interface Endpoint<P extends ParameterTable = ParameterTable> {
  /** `/api/v1/events`; a part in braces is a required parameter. */
  path: string;
  /** One line, without a full stop. */
  summary: string;
  parameters: P;
  /** It may take many times as long as the others, which must not wait for it. */
  isLong?: true;
  /** Of the JSON answer. */
  schema: Schema;
  /** The answer in JSON. @throws LosslogError */
  answer(context: QueryContext, values: ValuesOf<P>): string;
  /** The same as one JSON object a line, where that is possible; read as it is taken. */
  lines?(context: QueryContext, values: ValuesOf<P>): Iterable<string>;
}

/** Checks an endpoint against its own parameters, and forgets their types so that endpoints can stand in one table. */
export function defineEndpoint<P extends ParameterTable>(endpoint: Endpoint<P>): Endpoint {
  return endpoint as unknown as Endpoint;
}
