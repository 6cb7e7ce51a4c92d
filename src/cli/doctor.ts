/** `losslog doctor`. */

import { escapeJson } from '../base/escape.ts';
import { diagnose, isMissingAny } from '../recorder/diagnose.ts';
import { checkLines } from './check-text.ts';
import { storeDir } from './default-store.ts';
import type { Output } from './output.ts';

/** @returns 0 when recording is possible, 3 when something that it needs is missing. */
export async function doctor({ json, store }: { json?: true; store?: string }, output: Output): Promise<number> {
  const checks = await diagnose(storeDir(store));
  const lines = checks.flatMap((check) => (json ? escapeJson(JSON.stringify(check)) : checkLines(check, output.color)));
  output.write(`${lines.join('\n')}\n`);
  return isMissingAny(checks) ? 3 : 0;
}
