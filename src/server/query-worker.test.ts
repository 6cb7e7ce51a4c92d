import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { wallFromMs } from '../base/time.ts';
import { openWriter, temporaryDirectory } from '../store/temporary-store.test-util.ts';
import { endpoints } from './endpoints.ts';
import type { FromWorker, Job, ToWorker, WorkerSettings } from './query-messages.ts';

const REFUSE = 'data:text/javascript,process.dlopen = () => { throw new Error("a native addon is loaded") }';
const needed: Record<string, object> = { '/api/v1/top': { by: 'peer' } };

// A thread that is ended while it loads one takes the whole process along (napi_throw of koffi's initialisation).
test('no native addon is loaded to answer', async (t) => {
  const storeDir = temporaryDirectory(t);
  openWriter(storeDir).close();
  const workerData: WorkerSettings = { storeDir, version: '0', cancelled: new SharedArrayBuffer(4) };
  const worker = new Worker(new URL('./query-worker.ts', import.meta.url), {
    workerData,
    execArgv: ['--disable-warning=ExperimentalWarning', '--import', REFUSE],
  });
  t.after(() => worker.terminate());
  const tell = (message: ToWorker): void => worker.postMessage(message);
  for (const { path } of endpoints.filter(({ path }) => !path.includes('{') && !path.includes('connection'))) {
    const values = needed[path] ?? {};
    const job: Job = { path, values, now: wallFromMs(Date.now()), asLines: false, gzip: false, timeoutMs: 60_000 };
    tell({ type: 'run', job });
    const [answer] = (await once(worker, 'message')) as [FromWorker];
    assert.equal(answer.type, 'chunk', `${path}: ${JSON.stringify(answer)}`);
    tell({ type: 'more' });
    const [end] = (await once(worker, 'message')) as [FromWorker];
    assert.equal(end.type, 'end');
  }
});
