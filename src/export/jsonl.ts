/** One JSON object a line, as `--json` prints it. */

import { escapeJson } from '../base/escape.ts';
import { toJson } from '../event/json.ts';
import type { EventFormat } from './format.ts';

export const jsonl = (): EventFormat => ({
  begin: () => new Uint8Array(),
  add: (event) => Buffer.from(`${escapeJson(toJson(event))}\n`),
});
