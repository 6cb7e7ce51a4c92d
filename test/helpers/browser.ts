/** Chromium without a window, and what a test wants to know of a page in it. */

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Pictures of the page, for whoever wants to look at what a test saw. */
const SCREENSHOTS = fileURLToPath(new URL('../../build/screenshots/', import.meta.url));

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });

export interface OpenPage {
  readonly page: Page;
  /** What the page and the browser complained of so far. */
  readonly complaints: readonly string[];
}

/** A page of its own, closed when the test ends. */
export async function openPage(
  t: TestContext,
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    timezoneId: 'Europe/Berlin',
    ...options,
  });
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.stack ?? error.message));
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(url);
  return { page, complaints };
}

/** Keeps a picture in build/screenshots. */
export async function keepPicture(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: `${SCREENSHOTS}${name}.png` });
}

/**
 * Resolves with the page's own clock at the first frame in which a condition holds. Playwright's waitForFunction() needs eval(), which the content
 * security policy of the page forbids.
 */
export async function whenTrue(page: Page, condition: string): Promise<number> {
  return (await page.evaluate(`new Promise((resolve) => {
    const look = () => ((${condition}) ? resolve(performance.now()) : requestAnimationFrame(look));
    look();
  })`)) as number;
}

interface AxeResults {
  violations: { id: string; help: string; nodes: { html: string; failureSummary?: string }[] }[];
}

/** Fails with every rule of axe-core that the page breaks. */
export async function assertAccessible(page: Page, what: string): Promise<void> {
  // Through the debugger: the content security policy of the page lets no script be added.
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate('axe.run()')) as AxeResults;
  const found = violations.map(
    ({ id, help, nodes }) => `${id}: ${help}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`,
  );
  assert.deepEqual(found, [], what);
}
