/** `losslog record`. */

import { NS_PER_MS, wallFromMs } from '../base/time.ts';
import { DEFAULT_LIMITS } from '../capture/limits.ts';
import { localDay } from '../event/local-time.ts';
import { type LeftBehind, type RecorderOptions, type RecorderReady, runRecorder } from '../recorder/recorder.ts';
import type { LiveHub } from '../server/live.ts';
import type { Serving } from '../server/serve.ts';
import { storeDir } from './default-store.ts';
import type { ValuesOf } from './flag.ts';
import { LivePrinter } from './live-printer.ts';
import { neverWait, type Output, talk } from './output.ts';
import type { PrintForm, recordFlags } from './record-flags.ts';

type Values = ValuesOf<typeof recordFlags>;

/** Exit codes of a second signal, as shells give them: 128 + its number. */
const IMPATIENT = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Records until a signal, `--for`, or the end of stdout's reader. */
export async function record(values: Values, output: Output): Promise<number> {
  const stop = new AbortController();
  stopOnSignals(stop);
  output.whenBroken(({ code, message }) => {
    if (code === 'EPIPE') stop.abort();
    else talk(`stdout: ${message}; events are no longer printed, only stored`);
  });
  neverWait(process.stderr);
  output.neverWait();
  const form = values.print ?? (output.isTty ? 'text' : undefined);
  const printer = form && livePrinter(form, values, output);
  // Before anything that keeps this process: an address that is taken ends it.
  const server = values.listen === undefined ? undefined : await serveWhileRecording(values);
  const second = printer && setInterval(() => printer.tick(), 1000);
  try {
    await runRecorder({
      ...recorderOptions(values),
      onEvents: (events) => {
        printer?.print(events);
        server?.hub.write(events);
      },
      onReady: (info) => {
        if (server) server.stats = info.stats;
        talk(readyText(info));
      },
      onLeft: (left) => talk(leftText(left)),
      onTalk: talk,
      signal: stop.signal,
    });
  } finally {
    clearInterval(second);
    if (server) server.stats = undefined;
    await server?.serving.close();
  }
  printer?.tick();
  if (await output.drained(1000)) return 0;
  talk('nobody read the last events from stdout (they are in the store)');
  process.exit(0);
}

interface ServerBeside {
  readonly hub: LiveHub;
  readonly serving: Serving;
  stats: RecorderReady['stats'] | undefined;
}

/** The page and the API; before the recording begins, so that an address that is taken is told first. */
async function serveWhileRecording(values: Values): Promise<ServerBeside> {
  const [{ LiveHub }, { beginServing }] = await Promise.all([import('../server/live.ts'), import('./serve.ts')]);
  const hub = new LiveHub();
  const recorder: Pick<ServerBeside, 'stats'> = { stats: undefined };
  const serving = await beginServing(values, { hub, stats: () => recorder.stats?.() });
  return Object.assign(recorder, { hub, serving });
}

function recorderOptions(
  values: Values,
): Pick<RecorderOptions, 'storeDir' | 'netns' | 'drops' | 'limits'> & Partial<RecorderOptions> {
  return {
    storeDir: storeDir(values.store),
    netns: values.netns ?? [],
    drops: !values['no-drops'],
    limits: {
      drops: values['limit-drops'] ?? DEFAULT_LIMITS.drops,
      connections: values['limit-connections'] ?? DEFAULT_LIMITS.connections,
    },
    ...(values['report-every'] === undefined ? {} : { reportIntervalMs: Number(values['report-every'] / NS_PER_MS) }),
    ...(values.snaplen === undefined ? {} : { snaplen: values.snaplen }),
    ...(values.source === undefined ? {} : { source: values.source }),
    ...(values.offsets === undefined ? {} : { offsetsFile: values.offsets }),
    ...(values.pin === undefined ? {} : { pin: values.pin }),
    ...(values.detach ? { detach: true } : {}),
    ...(values['max-size'] === undefined ? {} : { maxBytes: values['max-size'] }),
    ...(values['max-age'] === undefined ? {} : { maxAgeNs: values['max-age'] }),
    ...(values.for === undefined ? {} : { forNs: values.for }),
  };
}

function livePrinter(form: PrintForm, values: Values, output: Output): LivePrinter {
  return new LivePrinter(output, {
    form,
    all: values.all === true,
    day: localDay(wallFromMs(Date.now())),
    onLeftOut: (count) => talk(`${count} events not shown (all are in the store)`),
  });
}

/** The first signal ends the recording in order; the second ends the process. */
function stopOnSignals(stop: AbortController): void {
  for (const [signal, code] of Object.entries(IMPATIENT)) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(code);
      stop.abort();
    });
  }
}

function leftText({ pinned, capacity: { connections, drops } }: LeftBehind): string {
  const room = `${connections} retransmissions and resets, and ${drops} drops`;
  return `the kernel records on without a process (${pinned}): it holds ${room} until losslog record drains them; losslog stop ends it`;
}

function readyText({ storeDir: dir, kernel, source, probes, missing, netns, notPinned }: RecorderReady): string {
  const where = netns.map(({ inode, name }) => name ?? String(inode)).join(', ');
  const scope = where === '' ? '' : `, netns ${where}`;
  const lacking = missing.length === 0 ? '' : `, without ${missing.join(', ')} (losslog doctor tells why)`;
  const by = source === 'bpf' ? '' : ` of ${source}`;
  const pins = notPinned === undefined ? '' : ', ends with this process (losslog doctor tells why)';
  return `recording to ${dir} (${probes.length} probes${by}, Linux ${kernel}${scope}${lacking}${pins})`;
}
