/** `losslog top --live`. */

import { setTimeout as sleep } from 'node:timers/promises';
import { wallFromMs } from '../base/time.ts';
import type { Filter, TopDimension } from '../event/filter.ts';
import { LiveStore } from './live/live-store.ts';
import { Screen } from './live/screen.ts';
import { initialSettings, pressed, type Settings, type Snapshot } from './live/state.ts';
import { view } from './live/view.ts';
import type { Output } from './output.ts';

const EVERY_MS = 1000;
/** Without a terminal: lines of one snapshot. */
const PLAIN = { columns: 80, rows: 24 };
const CTRL_Z = '\x1a';

/** Shows the losses as they are stored until q, Ctrl-C or SIGTERM; without a terminal plain text, a snapshot a second. */
export async function topLive(dir: string, filter: Filter, by: TopDimension, output: Output): Promise<number> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort());
  const store = new LiveStore(dir, filter, wallFromMs(Date.now()));
  const settings = initialSettings(by, filter.all === true);
  if (output.isTty) await interactive(store, settings, output, stop);
  else await plain(store, settings, output, stop.signal);
  return 0;
}

async function plain(store: LiveStore, settings: Settings, output: Output, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const lines = view(settings, store.read(settings), PLAIN, false).slice(0, -1);
    await output.writeAndWait(`${lines.join('\n').trimEnd()}\n\n`);
    await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function interactive(store: LiveStore, first: Settings, output: Output, stop: AbortController): Promise<void> {
  const screen = new Screen(output);
  let settings = first;
  let snapshot: Snapshot = store.read(settings);
  const draw = (): void => screen.draw(view(settings, snapshot, sizeOf(output), output.color));
  screen.open((key) => {
    if (key === CTRL_Z) return screen.suspend();
    const after = pressed(settings, key);
    if (after === 'quit') return stop.abort();
    const isOther = after.by !== settings.by || after.window !== settings.window || after.all !== settings.all;
    settings = after;
    if (isOther) snapshot = store.read(settings);
    draw();
  });
  process.stdout.on('resize', () => {
    screen.forget();
    draw();
  });
  try {
    while (!stop.signal.aborted) {
      if (!settings.isPaused) snapshot = store.read(settings);
      draw();
      await sleep(EVERY_MS, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  } finally {
    screen.close();
  }
}

const sizeOf = (output: Output): { columns: number; rows: number } => ({
  columns: output.width,
  rows: process.stdout.rows,
});
