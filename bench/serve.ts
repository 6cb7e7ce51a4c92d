/** How long the API takes to answer on a day of a million events: node bench/serve.ts [COUNT] */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NS_PER_HOUR, wallFromMs, wallNs } from '../src/base/time.ts';
import { version } from '../src/recorder/version.ts';
import { serve } from '../src/server/serve.ts';
import { fill } from './filled-store.ts';

const RUNS = 7;
const PATHS = [
  'status',
  'events?limit=500',
  'events?limit=500&process=nginx',
  'series',
  'series?process=nginx',
  'series?peer=192.168.0.1',
  'top?by=peer',
  'top?by=process',
  'top?by=location',
  'coverage',
  'topology',
  'incidents',
];

const storeDir = mkdtempSync(join(tmpdir(), 'losslog-bench-'));
const DAY = 24n * NS_PER_HOUR;
await fill(storeDir, Number(process.argv[2] ?? 1_000_000), DAY, wallNs(wallFromMs(Date.now()) - DAY));
const listen = { address: '127.0.0.1', port: 0 };
const serving = await serve({ storeDir, listen, version: version(), onTalk: (line) => console.error(line) });
console.log(`${'path'.padEnd(36)}${['first ms', 'median ms', 'bytes'].map((text) => text.padStart(12)).join('')}`);
for (const path of PATHS) {
  const times: number[] = [];
  let bytes = 0;
  for (let run = 0; run < RUNS; run++) {
    const begin = performance.now();
    const response = await fetch(new URL(`/api/v1/${path}`, serving.url));
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    bytes = (await response.arrayBuffer()).byteLength;
    times.push(performance.now() - begin);
  }
  const [first = 0, ...rest] = times;
  const median = rest.sort((a, b) => a - b)[rest.length >> 1] ?? 0;
  console.log(
    path.padEnd(36) + [first.toFixed(0), median.toFixed(0), bytes].map((cell) => String(cell).padStart(12)).join(''),
  );
}
await serving.close();
rmSync(storeDir, { recursive: true });
