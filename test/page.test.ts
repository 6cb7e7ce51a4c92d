/** The page in Chromium: what it says is what was recorded, whoever looks at it and whatever the names are. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { Lab } from '../lab/lab.ts';
import { LabProcess } from '../lab/process.ts';
import { LOSSLOG, Recorder } from '../lab/recorder.ts';
import { blastUdp, sendTcp, startSink } from '../lab/traffic.ts';
import {
  DROP_PLACE,
  DROP_REASON,
  HOSTILE_SHOWN,
  type PageStore,
  VICTIM,
  VICTIM_DROPS,
  writePageStore,
} from './fixtures/page-store.ts';
import { assertAccessible, keepPicture, launchBrowser, openPage, whenTrue } from './helpers/browser.ts';
import { requires } from './helpers/requires.ts';

const BUDGET_BYTES = 60_000;

interface Served {
  readonly url: string;
  readonly process: LabProcess;
}

async function serveStore(dir: string, ...args: string[]): Promise<Served> {
  const process = new LabProcess([LOSSLOG, 'serve', '--store', dir, '--listen', '127.0.0.1:0', ...args]);
  const line = await process.stderrLine('losslog: serving');
  return { url: /http:\S+/.exec(line)?.[0] ?? '', process };
}

/** Midnight of today in Berlin, where the browsers of these tests are. */
function midnightInBerlin(): number {
  const day = new Date().toLocaleDateString('sv', { timeZone: 'Europe/Berlin' });
  const offset = ['+01:00', '+02:00'].find(
    (zone) => new Date(`${day}T00:00${zone}`).toLocaleTimeString('sv', { timeZone: 'Europe/Berlin' }) === '00:00:00',
  );
  return Date.parse(`${day}T00:00${offset}`);
}

/** How much of a patch of the time line, where no bars are, is drawn over. A line of the grid may cross it. */
async function shareOfHatch(page: Page): Promise<number> {
  return (await page.evaluate(`(() => {
    const canvas = document.querySelector('.u-wrap canvas');
    const { data } = canvas.getContext('2d').getImageData(canvas.width * 0.51, canvas.height * 0.13, 20, 20);
    const pixels = [...new Uint32Array(data.buffer)];
    const ground = Math.max(...Map.groupBy(pixels, (color) => color).values().map((same) => same.length));
    return 1 - ground / pixels.length;
  })()`)) as number;
}

const summary = (page: Page) => page.locator('.summary');
const table = (page: Page, title: string) => page.locator('.table', { has: page.getByText(title, { exact: true }) });

describe('the page', requires('chromium'), () => {
  const dir = mkdtempSync(join(tmpdir(), 'losslog-page-'));
  let browser: Browser;
  let served: Served;
  let store: PageStore;

  before(async () => {
    store = writePageStore(join(dir, 'store'), midnightInBerlin());
    [browser, served] = await Promise.all([launchBrowser(), serveStore(join(dir, 'store'))]);
  });
  after(async () => {
    served.process.kill();
    await browser.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const open = (t: TestContext, query = '', options = {}) => openPage(t, browser, served.url + query, options);
  const period = (from: Date, minutes: number): string =>
    `since=${from.toISOString()}&until=${new Date(from.getTime() + minutes * 60_000).toISOString()}`;

  test('is within its size as it is sent', async () => {
    let total = 0;
    const fetched = new Set<string>();
    const fetchAll = async (path: string): Promise<void> => {
      if (fetched.has(path)) return;
      fetched.add(path);
      const response = await fetch(new URL(path, served.url), { headers: { 'accept-encoding': 'gzip' } });
      assert.equal(response.headers.get('content-encoding'), 'gzip', path);
      total += Number(response.headers.get('content-length'));
      const names = (await response.text()).match(/assets\/[\w-]+\.(?:js|css)/g) ?? [];
      for (const name of names) await fetchAll(name);
    };
    await fetchAll('');
    assert.equal(fetched.size, 3);
    assert.ok(total > 10_000 && total <= BUDGET_BYTES, `${total} bytes`);
  });

  for (const colorScheme of ['dark', 'light'] as const) {
    for (const [size, viewport] of Object.entries({
      wide: { width: 1280, height: 800 },
      phone: { width: 390, height: 844 },
    })) {
      test(`looks right, ${colorScheme} and ${size}`, async (t) => {
        const { page, complaints } = await open(t, `?${period(new Date(store.hitAt.getTime() - 6 * 3_600_000), 720)}`, {
          colorScheme,
          viewport,
        });
        await table(page, 'Network namespaces').locator('tbody tr').first().waitFor();
        await keepPicture(page, `breakdown-${colorScheme}-${size}`);
        await assertAccessible(page, 'breakdown');
        await page.getByRole('button', { name: 'Events' }).click();
        await page.locator('.row').first().waitFor();
        await keepPicture(page, `events-${colorScheme}-${size}`);
        await assertAccessible(page, 'events');
        await page.locator('.row').first().click();
        await page.getByRole('button', { name: 'The story of this connection' }).waitFor();
        await page.locator('.fields [title^="Source address"]').waitFor();
        await keepPicture(page, `event-${colorScheme}-${size}`);
        await assertAccessible(page, 'event');
        await page.keyboard.press('Escape');
        await page.getByRole('button', { name: 'Incidents' }).click();
        await page.locator('.incident').first().waitFor();
        await keepPicture(page, `incidents-${colorScheme}-${size}`);
        await assertAccessible(page, 'incidents');
        await page.getByRole('button', { name: 'Topology' }).click();
        await page
          .locator(`.node[aria-description="container ${VICTIM}: 0 segments resent, ${VICTIM_DROPS} packets dropped"]`)
          .waitFor();
        await keepPicture(page, `topology-${colorScheme}-${size}`);
        await assertAccessible(page, 'topology');
        await page.getByRole('button', { name: 'live' }).click();
        await page.getByText('0 events so far').waitFor();
        await keepPicture(page, `live-${colorScheme}-${size}`);
        await assertAccessible(page, 'live');
        await page.getByRole('button', { name: 'Help' }).click();
        await assertAccessible(page, 'help');
        assert.equal(
          await page.evaluate('document.documentElement.scrollWidth <= innerWidth'),
          true,
          'no scrolling sideways',
        );
        assert.deepEqual(complaints, []);
      });
    }
  }

  test('three clicks lead from the start to who dropped the packets of a container yesterday at 14:05', async (t) => {
    const { page, complaints } = await open(t);
    await page.getByRole('button', { name: 'yesterday' }).click();
    await table(page, 'Containers')
      .getByRole('button', { name: VICTIM.slice(0, 12) })
      .click();
    await page.waitForURL(/container=/);
    await summary(page).getByText(`${VICTIM_DROPS} packets dropped`).waitFor();
    // 14:05 on the axis of a day; the plot itself is what one would point at.
    const plot = page.locator('.u-over');
    const [width, height] = await plot.evaluate(
      ({ clientWidth, clientHeight }) => [clientWidth, clientHeight] as const,
    );
    await plot.click({ position: { x: width * ((14 * 60 + 5.2) / (24 * 60)), y: height * 0.6 } });
    await page.waitForURL(/since=.*until=/);
    await table(page, 'Reasons of drops and resets').getByRole('button', { name: DROP_REASON }).waitFor();
    await table(page, 'Places in the kernel').getByRole('button', { name: DROP_PLACE }).waitFor();
    await summary(page).getByText(`${VICTIM_DROPS} packets dropped`).waitFor();
    assert.match(await page.getByLabel(/^From/).inputValue(), / 14:0[0-5]:00$/);
    assert.deepEqual(complaints, []);
  });

  test('the address holds the view: a link shows the same, the back button goes back', async (t) => {
    const { page } = await open(t, `?${period(store.hitAt, 1)}`);
    await table(page, 'Peers').getByRole('button', { name: '192.168.7.9' }).click();
    await page.waitForURL(/peer=192\.168\.7\.9/);
    await page.getByLabel(/^Filter/).fill(':5432');
    await page.getByLabel(/^Filter/).press('Enter');
    await page.waitForURL(/port=5432/);
    await page.getByLabel('benign drops too').check();
    await page.getByRole('button', { name: 'Events' }).click();
    await page
      .locator('.row')
      .nth(VICTIM_DROPS - 1)
      .waitFor();
    const link = page.url();
    const shown = await page.locator('.row').allTextContents();
    assert.equal(shown.length, VICTIM_DROPS);

    const other = await openPage(t, browser, link);
    await other.page
      .locator('.row')
      .nth(VICTIM_DROPS - 1)
      .waitFor();
    assert.deepEqual(await other.page.locator('.row').allTextContents(), shown);
    assert.equal(await other.page.getByLabel('benign drops too').isChecked(), true);
    assert.deepEqual(await other.page.locator('.chip-name').allTextContents(), ['peer', 'port']);

    for (let back = 0; back < 4; back++) await page.goBack();
    assert.equal(await page.locator('.chip').count(), 0);
    assert.equal(new URL(page.url()).search, `?${period(store.hitAt, 1)}`);
  });

  test('names are text, whatever is in them', async (t) => {
    const { page, complaints } = await open(t, `?${period(store.gapAt, 420)}`);
    await table(page, 'Processes').getByRole('button', { name: HOSTILE_SHOWN }).waitFor();
    assert.equal(await page.locator('main img, main script, main b b').count(), 0);
    await table(page, 'Processes').getByRole('button', { name: HOSTILE_SHOWN }).click();
    await page.locator('.chip', { hasText: HOSTILE_SHOWN }).waitFor();
    await summary(page).getByText('1 packet dropped').waitFor();
    await page.getByRole('button', { name: 'Events' }).click();
    await page.locator('.row', { hasText: HOSTILE_SHOWN }).waitFor();
    await page.reload();
    await page.locator('.row', { hasText: HOSTILE_SHOWN }).waitFor();
    assert.deepEqual(complaints, []);
  });

  test('a gap in the record is said and drawn, and is not silence', async (t) => {
    const { page } = await open(t, `?${period(store.gapAt, 60)}`);
    await summary(page).getByText('Not known: the recorder was down all that time').waitFor();
    await keepPicture(page, 'gap');
    assert.ok((await shareOfHatch(page)) > 0.1);
    await page.goto(`${served.url}?${period(new Date(store.gapAt.getTime() + 150 * 60_000), 20)}`);
    await summary(page).getByText('the recorder was running all that time').waitFor();
    assert.ok((await shareOfHatch(page)) < 0.1);
  });

  test('the time line is zoomed and moved by dragging', async (t) => {
    const from = store.hitAt.getTime() - 6 * 3_600_000;
    const { page, complaints } = await open(t, `?${period(new Date(from), 480)}`);
    await summary(page).getByText('packets dropped').waitFor();
    const bars = await page.locator('.u-over').boundingBox();
    assert.ok(bars);
    /** Drags between two shares of the width, `below` the bars, and resolves with the period then, in hours from the first begin. */
    const drag = async (begin: number, end: number, below = -bars.height / 2): Promise<number[]> => {
      const answered = page.waitForResponse(/api\/v1\/series/);
      const y = bars.y + bars.height + below;
      await page.mouse.move(bars.x + bars.width * begin, y);
      await page.mouse.down();
      await page.mouse.move(bars.x + bars.width * end, y, { steps: 5 });
      await page.mouse.up();
      await answered;
      // The next one begins on bars that stay.
      await whenTrue(page, `!document.querySelector('.stale')`);
      const { searchParams } = new URL(page.url());
      return ['since', 'until'].map((name) => (Date.parse(searchParams.get(name) ?? '') - from) / 3_600_000);
    };
    const assertNear = (actual: number[], expected: number[]): void => {
      for (const [at, value] of actual.entries()) assert.ok(Math.abs(value - (expected[at] ?? 0)) < 0.1, `${actual}`);
    };
    assertNear(await drag(0.25, 0.75), [2, 6]);
    await page.keyboard.down('Shift');
    assertNear(await drag(0.5, 0.75), [1, 5]);
    await page.keyboard.up('Shift');
    assertNear(await drag(0.5, 0.25, 12), [2, 6]);
    assert.deepEqual(complaints, []);
  });

  test('works without a mouse', async (t) => {
    const { page } = await open(t, `?${period(store.hitAt, 60)}`);
    await summary(page).getByText('packets dropped').waitFor();
    await page.keyboard.press('2');
    await page.locator('.row').first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('postgres');
    await page.keyboard.press('Enter');
    await page.waitForURL(/process=postgres/);
    await page.keyboard.press('Escape');
    const before = await page.getByLabel(/^From/).inputValue();
    await page.keyboard.press('ArrowLeft');
    await whenTrue(page, `document.querySelector('[name=since]').value !== ${JSON.stringify(before)}`);
    await page.keyboard.press('u');
    await page.getByLabel('From, UTC').waitFor();
    await page.keyboard.press('t');
    await page.locator(':root[data-theme="dark"], :root[data-theme="light"]').waitFor({ state: 'attached' });
    await page.keyboard.press('1');
    await page.locator('.tables').waitFor();
  });

  test('asks for the token, and works with it', async (t) => {
    const guarded = await serveStore(join(dir, 'store'), '--token');
    t.after(() => guarded.process.kill());
    const line = await guarded.process.stderrLine('losslog: http');
    const { page } = await openPage(t, browser, line.slice('losslog: '.length));
    await page.locator('.summary').waitFor();
    // The session ends; the page is still open.
    await page.context().clearCookies();
    await page.getByRole('button', { name: '6h' }).click();
    await page.getByRole('heading', { name: 'A token, please' }).waitFor();
    await assertAccessible(page, 'token');
    await page.getByLabel('Token').fill(readFileSync(join(dir, 'store/token'), 'utf8').trim());
    await page.getByRole('button', { name: 'Show' }).click();
    await page.locator('.summary b').first().waitFor();
  });

  test('says what is wrong when there is no store, and when losslog is gone', async (t) => {
    const empty = await serveStore(join(dir, 'nowhere'));
    t.after(() => empty.process.kill());
    const { page } = await openPage(t, browser, empty.url);
    await page.getByRole('heading', { name: 'There is no store yet' }).waitFor();
    await keepPicture(page, 'no-store');
    await assertAccessible(page, 'no store');
    empty.process.kill();
    await empty.process.exited;
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { name: 'losslog does not answer' }).waitFor();
  });

  test('shows what was really lost', requires('root', 'btf'), async (t) => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts({ tso: false });
    const rule = server.dropMatching({ protocol: 'udp', dport: 4000, family: 4 });
    await using recorder = await Recorder.start({ hosts: [client, server] });
    const live = await serveStore(recorder.storeDir);
    t.after(() => live.process.kill());
    await blastUdp(client, { host: server.ip4, port: 4000, count: 13 });
    assert.equal(rule.packets(), 13);
    const sink = await startSink(server);
    const resending = server.dropEveryNth(5, { protocol: 'tcp', dport: sink.port, family: 4 });
    await sendTcp(client, { host: server.ip4, port: sink.port, bytes: 200_000, chunkBytes: 20_000, pauseMs: 20 });
    const { page, complaints } = await openPage(t, browser, `${live.url}?since=-15m&port=4000`);
    await page.getByText(/recording since/).waitFor();
    // The recorder commits once a second; the page asks again by itself.
    await summary(page).getByText('13 packets dropped').waitFor({ timeout: 30_000 });
    await table(page, 'Peers').getByRole('button', { name: client.ip4 }).waitFor();
    await keepPicture(page, 'recorded');

    await page.getByRole('button', { name: 'Incidents' }).click();
    await page.locator('.incident', { hasText: 'firewall' }).getByText('13 drops').waitFor();
    await page.getByRole('button', { name: 'Show these events' }).click();
    // The incident is the firewall's: without the filter it may hold drops of TCP too.
    const dropped = page.locator('.row', { hasText: `${server.ip4}:4000` });
    await dropped.nth(12).waitFor();
    assert.equal(await dropped.count(), 13);

    await page.goto(`${live.url}?since=-15m&view=events&kind=retransmit`);
    await page.locator('.row').first().click();
    await page.getByRole('button', { name: 'The story of this connection' }).click();
    await page.locator('.diagram li', { hasText: 'NETFILTER_DROP' }).first().waitFor();
    const steps = await page.locator('.diagram li').count();
    assert.equal(await page.locator('.arrow').count(), steps);
    assert.ok(resending.packets() > 0 && steps > resending.packets(), `${steps} steps`);
    await keepPicture(page, 'story');
    await assertAccessible(page, 'story');

    await page.goto(`${live.url}?view=live&port=4000`);
    await page.getByText('0 events so far').waitFor();
    await blastUdp(client, { host: server.ip4, port: 4000, count: 7 });
    await page.getByText('7 events so far').waitFor();
    await table(page, 'Reasons, last 60 s').locator('td.drops', { hasText: '7' }).waitFor();
    assert.equal(await page.locator('.row').count(), 7);
    assert.deepEqual(complaints, []);
    await recorder.stop();
    await page
      .getByText(/recorder is down/)
      .first()
      .waitFor({ timeout: 60_000 });
  });
});
