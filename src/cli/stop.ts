/** `losslog stop`. */

import { escapeJson, escapeText } from '../base/escape.ts';
import { type Stopped, stopRecording } from '../recorder/stop.ts';
import { storeDir } from './default-store.ts';
import { type Output, talk } from './output.ts';

interface Values {
  store?: string;
  pin?: string;
  discard?: true;
  json?: true;
}

/** Says on stdout what was removed; nothing to stop is no failure. */
export async function stop(values: Values, output: Output): Promise<number> {
  const stopped = stopRecording({
    storeDir: values.store === undefined && values.pin !== undefined ? undefined : storeDir(values.store),
    discard: values.discard === true,
    onTalk: talk,
    ...(values.pin === undefined ? {} : { pin: values.pin }),
  });
  if (!stopped) talk(`nothing of losslog is at work in the kernel for ${values.pin ?? storeDir(values.store)}`);
  else output.write(`${values.json ? json(stopped) : text(stopped)}\n`);
  return 0;
}

function json({ pinned, store, removed, stored, discarded }: Stopped): string {
  const { link: links, program: programs, map: maps } = removed;
  return escapeJson(JSON.stringify({ pinned, store, links, programs, maps, stored, discarded }));
}

function text({ pinned, store, removed, stored, discarded }: Stopped): string {
  const kept = discarded > 0 ? `${discarded} records thrown away` : `${stored} events stored`;
  const where = store === undefined || discarded > 0 ? '' : ` in ${store}`;
  return escapeText(
    `stopped: ${kept}${where}; removed ${removed.link} links, ${removed.program} programs and ${removed.map} maps from ${pinned}`,
  );
}
