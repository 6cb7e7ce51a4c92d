/**
 * How fast the page is in Chromium, on a million events of a day that ends now, and on 10,000 live events a second.
 *
 *     node --disable-warning=ExperimentalWarning bench/page.ts [EVENTS]
 *
 * Times are medians of five, by the page's own clock: from the begin of the navigation, or from the click.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { LabProcess } from '../lab/process.ts';
import { LOSSLOG } from '../lab/recorder.ts';
import { NS_PER_DAY, NS_PER_MS, wallFromMs, wallNs } from '../src/base/time.ts';
import { StoreWriter } from '../src/store/writer.ts';
import { launchBrowser, whenTrue } from '../test/helpers/browser.ts';
import { anyEvent, fill } from './filled-store.ts';

const RUNS = 5;
const LIVE_RATE = 10_000;
const LIVE_SECONDS = 20;
const TICK_MS = 50;

/** Writes live events into a store of its own, at an even rate. */
function writeLive(dir: string): void {
  const session = { bootId: 'bench', losslogVersion: '0', kernel: '0', host: 'bench' };
  const writer = StoreWriter.open(dir, session);
  const begin = performance.now();
  let written = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - begin) / 1000) * LIVE_RATE) - written;
    const now = wallFromMs(Date.now());
    writer.write(Array.from({ length: due }, (_, at) => anyEvent(wallNs(now + BigInt(at)))));
    written += due;
    if (performance.now() - begin < (LIVE_SECONDS + 15) * 1000) return;
    clearInterval(timer);
    writer.close();
  }, TICK_MS);
  process.stderr.write('writing\n');
}

async function serve(dir: string): Promise<{ url: string; process: LabProcess }> {
  const process = new LabProcess([LOSSLOG, 'serve', '--store', dir, '--listen', '127.0.0.1:0']);
  const line = await process.stderrLine('losslog: serving');
  return { url: /http:\S+/.exec(line)?.[0] ?? '', process };
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] as number;
const report = (what: string, value: number, unit = 'ms'): void =>
  console.log(`${what.padEnd(64)}${value.toFixed(0).padStart(6)} ${unit}`);

const HAS_ANSWER = `document.querySelector('.summary b')`;
const IS_COMPLETE = `document.querySelectorAll('.table tbody tr').length > 0 && document.querySelectorAll('.table').length === 7 && !document.querySelector('.stale')`;

/** The debugger of each page, which counts its CPU. */
const sessions = new WeakMap<Page, CDPSession>();

async function open(browser: Browser, url: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Performance.enable');
  sessions.set(page, session);
  await page.goto(url, { waitUntil: 'domcontentloaded' });
  return page;
}

/** CPU that the page's main thread has used so far, in milliseconds; unlike a time it does not depend on what else the machine does. */
async function cpuMs(page: Page): Promise<number> {
  const { metrics = [] } = (await sessions.get(page)?.send('Performance.getMetrics')) ?? {};
  return 1000 * (metrics.find(({ name }) => name === 'ThreadTime')?.value ?? Number.NaN);
}

async function measureStart(browser: Browser, url: string): Promise<void> {
  const useful: number[] = [];
  const whole: number[] = [];
  const cpu: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const page = await open(browser, url);
    useful.push(await whenTrue(page, HAS_ANSWER));
    whole.push(await whenTrue(page, IS_COMPLETE));
    cpu.push(await cpuMs(page));
    await page.context().close();
  }
  report('first useful paint: time line and what was lost, cold cache', median(useful));
  report('the slowest of them', Math.max(...useful));
  report('all tables', median(whole));
  report('CPU of the main thread for all of it', median(cpu));
}

/** Milliseconds from an action to the first frame that shows its answer. */
async function answered(page: Page, act: string, condition: string): Promise<number> {
  const begin = (await page.evaluate(
    `window.before = document.querySelector('.summary').textContent; ${act}; performance.now()`,
  )) as number;
  return (
    (await whenTrue(page, `document.querySelector('.summary').textContent !== window.before && ${condition}`)) - begin
  );
}

async function measureAnswers(browser: Browser, url: string): Promise<void> {
  const page = await open(browser, url);
  await whenTrue(page, IS_COMPLETE);
  const key = (name: string): string => `dispatchEvent(new KeyboardEvent('keydown', { key: '${name}' }))`;
  const click = (title: string): string =>
    `[...document.querySelectorAll('.table')].find((one) => one.querySelector('caption').textContent === '${title}').querySelector('button.name').click()`;
  for (const [what, act, back] of [
    ['zoom in to half a day', key('+'), key('-')],
    ['filter by the first process', click('Processes'), click('Processes')],
    ['filter by the first reason', click('Reasons of drops and resets'), click('Reasons of drops and resets')],
    ['filter by the first peer', click('Peers'), click('Peers')],
  ] as const) {
    const line: number[] = [];
    const all: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      line.push(await answered(page, act, 'true'));
      const begin = (await page.evaluate('performance.now()')) as number;
      all.push((await whenTrue(page, IS_COMPLETE)) - begin + (line.at(-1) as number));
      await answered(page, back, 'true');
      await whenTrue(page, IS_COMPLETE);
    }
    report(`${what}: time line`, median(line));
    report(`${what}: with all tables`, median(all));
  }
  await page.context().close();
}

async function measureLive(browser: Browser, dir: string): Promise<void> {
  const writer = new LabProcess([
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    import.meta.filename,
    '--write',
    dir,
  ]);
  await writer.stderrLine('writing');
  const served = await serve(dir);
  try {
    const page = await open(browser, `${served.url}?view=live`);
    await whenTrue(page, `document.querySelectorAll('.row').length > 0`);
    const before = await cpuMs(page);
    const frames = (await page.evaluate(`new Promise((resolve) => {
      const lengths = [];
      let last = performance.now();
      const begin = last;
      requestAnimationFrame(function next(now) {
        lengths.push(now - last);
        last = now;
        if (now - begin < ${LIVE_SECONDS * 1000}) requestAnimationFrame(next);
        else resolve(lengths);
      });
    })`)) as number[];
    const sorted = frames.toSorted((a, b) => a - b);
    report('live: CPU of the main thread', ((await cpuMs(page)) - before) / LIVE_SECONDS, 'ms a second');
    console.log((await page.locator('.summary').textContent())?.trim());
    report(`live at ${LIVE_RATE} events a second: frames`, frames.length / LIVE_SECONDS, 'a second');
    report('live: 99 of 100 frames are shorter than', sorted[Math.floor(sorted.length * 0.99)] as number);
    report('live: the longest frame', sorted.at(-1) as number);
    await page.context().close();
  } finally {
    writer.kill();
    served.process.kill();
  }
}

async function main(count: number): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'losslog-bench-page-'));
  const end = wallFromMs(Date.now());
  const begin = wallNs(end - NS_PER_DAY);
  try {
    await fill(join(dir, 'store'), count, NS_PER_DAY, begin);
    await using browser = await launchBrowser();
    const served = await serve(join(dir, 'store'));
    const text = (time: bigint): string => new Date(Number(time / NS_PER_MS)).toISOString();
    const url = `${served.url}?since=${text(begin)}&until=${text(end)}`;
    console.log(`${count} events of a day`);
    await measureStart(browser, url);
    await measureAnswers(browser, url);
    served.process.kill();
    await measureLive(browser, join(dir, 'live'));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const [first, second] = process.argv.slice(2);
if (first === '--write') writeLive(second ?? '');
else await main(Number(first ?? 1_000_000));
