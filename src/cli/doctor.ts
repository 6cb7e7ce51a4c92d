/** `losslog doctor`. */

import { escapeJson } from '../base/escape.ts';
import { diagnose } from '../recorder/diagnose.ts';
import { checkLines } from './check-text.ts';
import type { Output } from './output.ts';

/** @returns 0 when recording is possible, 3 when something that it needs is missing. */
export async function doctor({ json }: { json?: true }, output: Output): Promise<number> {
  const checks = await diagnose();
  const lines = checks.flatMap((check) => (json ? escapeJson(JSON.stringify(check)) : checkLines(check, output.color)));
  output.write(`${lines.join('\n')}\n`);
  return checks.some(({ state }) => state === 'missing') ? 3 : 0;
}
