/** The one table of commands. Each loads its code when it is run, so that `show` does not wait for what `record` needs. */

import { choice, nonEmpty, parseLimit } from '../base/values.ts';
import { TOP_DIMENSIONS } from '../event/filter.ts';
import { EXPORT_FORMATS } from '../export/format.ts';
import { ARCHITECTURES } from '../linux/architecture.ts';
import { type Command, defineCommand } from './command.ts';
import { storeFlag } from './default-store.ts';
import { filterFlags } from './filters.ts';
import type { FlagTable, ParseContext, SwitchFlag } from './flag.ts';
import { recordFlags } from './record-flags.ts';
import { serveFlags } from './serve-flags.ts';
import { parseTimeArgument } from './time-argument.ts';

const json: SwitchFlag = { type: 'switch', doc: 'one JSON object a line' };

const ABOUT_TIMES =
  'T is a time in the local time zone (the TZ variable changes it): RFC 3339, "2026-11-22 20:15[:07[.123]]", 20:15, -2h, now, today, yesterday, monday, "yesterday 14:05" or "last thursday 14:05". A time of day, a weekday or a date without a year is the latest one that has passed.';

const limit = (doc: string) => ({ type: 'value', placeholder: 'N', doc, parse: parseLimit }) as const;

const record = defineCommand({
  name: 'record',
  summary: 'record every retransmission, drop and reset of this host',
  about: [
    'Needs root. Events go to the store; on a terminal they are printed too, at most some hundred lines a second, and without benign drops unless --all is given. Ctrl-C ends it.',
  ],
  flags: recordFlags,
  examples: [
    { line: 'sudo losslog record', doc: 'record until Ctrl-C, and show it' },
    { line: 'sudo losslog record --netns blue --for 10m', doc: 'one network namespace, ten minutes' },
    { line: 'sudo losslog record --detach', doc: 'let the kernel record until losslog record takes over' },
    { line: 'sudo losslog record --print=json | jq .', doc: 'every event into another program' },
  ],
  run: async (values, output) => (await import('./record.ts')).record(values, output),
});

const showFlags = {
  store: storeFlag,
  ...filterFlags,
  incident: {
    type: 'value',
    placeholder: 'ID',
    doc: 'the events of an incident that `losslog why` names',
    parse: nonEmpty,
  },
  limit: limit('the newest N events (100); 0 for all'),
  json,
} as const satisfies FlagTable;

const show = defineCommand({
  name: 'show',
  summary: 'show what was recorded, oldest first',
  about: [ABOUT_TIMES],
  flags: showFlags,
  examples: [
    { line: 'losslog show --since -2h --peer 10.0.0.9', doc: 'what was lost between here and 10.0.0.9' },
    { line: 'losslog show --since "yesterday 14:00" --until "yesterday 14:10" --process nginx', doc: 'an incident' },
    { line: 'losslog show --kind drop --reason NETFILTER_DROP --json', doc: 'what the firewall took, for a program' },
  ],
  run: async (values, output) => (await import('./show.ts')).show(values, output),
});

const topFlags = {
  by: {
    type: 'value',
    placeholder: 'DIM',
    doc: `what to count by: ${TOP_DIMENSIONS.join(', ')}`,
    parse: choice('dimension', TOP_DIMENSIONS),
    choices: TOP_DIMENSIONS,
  },
  store: storeFlag,
  ...filterFlags,
  limit: limit('the first N rows (20); 0 for all'),
  live: { type: 'switch', doc: 'watch it: a view that is drawn again each second (q leaves it)' },
  json,
} as const satisfies FlagTable;

const top = defineCommand({
  name: 'top',
  summary: 'who lost the most',
  about: [ABOUT_TIMES],
  flags: topFlags,
  examples: [
    { line: 'losslog top --by peer --since -1h', doc: 'the destinations with the most loss' },
    { line: 'losslog top --by reason --kind drop', doc: 'why packets were dropped' },
    { line: 'losslog top --live', doc: 'watch losses as they are recorded' },
  ],
  run: async (values, output) => (await import('./top.ts')).top(values, output),
});

const { all: _all, ...whyFilters } = filterFlags;

const whyFlags = {
  store: storeFlag,
  ...whyFilters,
  all: { type: 'switch', doc: 'harmless incidents too: what was sent again without need and cost nothing' },
  limit: limit('the first N incidents (10); 0 for all'),
  json,
} as const satisfies FlagTable;

const why = defineCommand({
  name: 'why',
  summary: 'why packets were lost: incidents with evidence and advice, the worst first',
  about: [
    'Joins retransmissions with the drops that caused them and puts thousands of events together by cause, place and time. Each incident says how sure it is, what else it could be, and what to do. Without --since it takes all of history.',
    ABOUT_TIMES,
  ],
  argument: {
    placeholder: 'SRC:PORT DST:PORT',
    doc: 'two ends of a connection: its story as a sequence diagram',
    required: false,
    several: true,
  },
  flags: whyFlags,
  examples: [
    { line: 'losslog why --since -1h', doc: 'what went wrong in the last hour' },
    { line: 'losslog why 10.0.0.2:45678 10.0.0.9:443', doc: 'what happened on this connection' },
    {
      line: 'losslog why --since "yesterday 14:00" --until "yesterday 15:00" --process nginx',
      doc: 'whose trouble was that',
    },
  ],
  run: async (values, output, words) => (await import('./why.ts')).why(values, output, words),
});

const exportFlags = {
  format: {
    type: 'value',
    required: true,
    placeholder: 'FORMAT',
    doc: `one of ${EXPORT_FORMATS.join(', ')}`,
    parse: choice('format', EXPORT_FORMATS),
    choices: EXPORT_FORMATS,
  },
  output: { type: 'value', short: 'o', placeholder: 'FILE', doc: 'where to; else stdout', parse: nonEmpty },
  store: storeFlag,
  ...filterFlags,
} as const satisfies FlagTable;

const exportCommand = defineCommand({
  name: 'export',
  summary: 'write what was recorded into a file that other tools open',
  about: [
    'jsonl: one JSON object a line, as --json prints it. csv: one table (RFC 4180). pcapng: a packet for each event, its headers rebuilt, with everything recorded as its comment, for Wireshark.',
    ABOUT_TIMES,
  ],
  flags: exportFlags,
  examples: [
    { line: 'losslog export --format pcapng --since -1h -o lost.pcapng', doc: 'look at it in Wireshark' },
    { line: 'losslog export --format csv --kind retransmit -o lost.csv', doc: 'for a spreadsheet' },
  ],
  run: async (values, output) => (await import('./export.ts')).exportEvents(values, output),
});

const ENDIANS = ['little', 'big'] as const;

const convert = defineCommand({
  name: 'convert',
  summary: 'a trace log of the kernel into readable events',
  about: [
    'Understands what ftrace, trace-cmd report and perf script print of retransmissions, drops and resets: the tracepoints of Linux 5.10 and later, kprobe events, and messages of bpf_trace_printk like "tcp_retransmit port=37897 dst=831376843 state=1". Other lines are skipped.',
    'The stamps of such a log count from a boot. T is when that was, in RFC 3339 or local time; without it, the log is taken for one of this boot where it can be.',
  ],
  argument: { placeholder: 'FILE', doc: 'the log (also .gz, .zst), or - for standard input', required: true },
  flags: {
    'boot-time': {
      type: 'value',
      placeholder: 'T',
      doc: 'when the host of the log was booted: the time of the stamp 0',
      parse: (text: string, { now }: ParseContext) => parseTimeArgument(text, now),
    },
    store: { ...storeFlag, doc: 'write into this store instead of printing; then show and top answer from it' },
    endian: {
      type: 'value',
      placeholder: 'ORDER',
      doc: 'byte order of the machine of the log: little (default) or big',
      parse: choice('byte order', ENDIANS),
      choices: ENDIANS,
    },
    json,
  },
  examples: [
    { line: 'losslog convert /sys/kernel/tracing/trace', doc: 'what is in the buffer now' },
    { line: 'losslog convert trace.txt --boot-time "2021-02-03 11:32:49.981444" --json', doc: 'of another host' },
  ],
  run: async (values, output, [file]) => (await import('./convert.ts')).convert(values, output, file as string),
});

const offset = defineCommand({
  name: 'offset',
  summary: 'where a field lies in the structs of this kernel',
  about: [
    "From BTF, the kernel's own type information, and that of its modules. A FIELD may be nested (__sk_common.skc_dport), lie in an anonymous union (skc_dport of struct sock_common), be an element of an array (cb[8]) or a bit field. Without FIELD every member is listed.",
    'With --json the lines can be given to losslog record --source kprobe --offsets FILE on a kernel that has no type information.',
  ],
  argument: { placeholder: 'TYPE', doc: "a struct or union: 'struct sock'", required: false, several: true },
  flags: {
    btf: {
      type: 'value',
      placeholder: 'FILE',
      doc: 'BTF of another kernel: raw, or an ELF file with a section .BTF',
      parse: nonEmpty,
    },
    kprobe: { type: 'switch', doc: 'every field that record --source kprobe needs' },
    probe: {
      type: 'value',
      placeholder: 'FUNCTION',
      doc: 'the registers of its arguments, as kprobe_events names them',
      parse: nonEmpty,
    },
    arch: {
      type: 'value',
      placeholder: 'ARCH',
      doc: `for --probe: ${ARCHITECTURES.join(' or ')}; else that of this machine`,
      parse: choice('architecture', ARCHITECTURES),
      choices: ARCHITECTURES,
    },
    json,
  },
  examples: [
    { line: "losslog offset 'struct sock' __sk_common.skc_dport __sk_common.skc_daddr", doc: 'what a kprobe needs' },
    { line: 'losslog offset --probe tcp_retransmit_skb', doc: 'which register holds the socket' },
  ],
  run: async (values, output, words) => (await import('./offset.ts')).offset(values, output, words),
});

const probes = defineCommand({
  name: 'probes',
  summary: 'the tracepoints of this kernel, and which losslog uses',
  about: [
    'PATTERN is like that of perf list: tcp:*, *:*retransmit*; a word finds every tracepoint that has it in its name.',
  ],
  argument: { placeholder: 'PATTERN', doc: 'which tracepoints; all, when absent', required: false },
  flags: { json },
  examples: [{ line: "losslog probes 'tcp:*'", doc: 'what TCP tells' }],
  run: async (values, output, [pattern]) => (await import('./probes.ts')).probes(values, output, pattern),
});

const kprobe = defineCommand({
  name: 'kprobe',
  summary: 'the kprobe events that record --source kprobe arms, in the syntax of kprobe_events',
  about: ['Nothing is armed. The fields lie where the type information of this kernel, or FILE, says.'],
  flags: {
    print: { type: 'switch', doc: 'print them, which is what it does anyway' },
    offsets: {
      type: 'value',
      placeholder: 'FILE',
      doc: 'what losslog offset --kprobe --json wrote elsewhere',
      parse: nonEmpty,
    },
    arch: {
      type: 'value',
      placeholder: 'ARCH',
      doc: `calling convention: ${ARCHITECTURES.join(' or ')}; else that of this machine`,
      parse: choice('architecture', ARCHITECTURES),
      choices: ARCHITECTURES,
    },
  },
  examples: [{ line: 'losslog kprobe --print', doc: 'to arm by hand: echo LINE >> /sys/kernel/tracing/kprobe_events' }],
  run: async (values, output) => (await import('./kprobe.ts')).kprobe(values, output),
});

const coverageCommand = defineCommand({
  name: 'coverage',
  summary: 'when the recorder was running, and what it could not see',
  about: [
    'Without times, all of the history. What was recorded can be trusted for the stretches of state recording in which nothing is lost, limited or blind.',
    ABOUT_TIMES,
  ],
  flags: { store: storeFlag, since: filterFlags.since, until: filterFlags.until, json },
  examples: [{ line: 'losslog coverage --since yesterday', doc: 'can I trust that nothing happened' }],
  run: async (values, output) => (await import('./coverage.ts')).coverage(values, output),
});

const serve = defineCommand({
  name: 'serve',
  summary: 'a page to look at the store with, and its HTTP API',
  about: [
    'The page shows what was lost over time, by whom, where and why; the API (/api/v1/openapi.json) gives the same to programs, /metrics to Prometheus. While losslog record runs it is live. Nothing is asked of the internet.',
    'On loopback (127.0.0.1:7475) every user of this host may look. Any other address asks for a token.',
  ],
  flags: { store: storeFlag, ...serveFlags },
  examples: [
    {
      line: 'sudo losslog serve',
      doc: 'then open http://127.0.0.1:7475/, from elsewhere by ssh -L 7475:127.0.0.1:7475 HOST',
    },
    { line: 'sudo losslog serve --listen 10.0.0.5:7475', doc: 'for others too, with the token' },
  ],
  run: async (values) => (await import('./serve.ts')).serve(values),
});

const stop = defineCommand({
  name: 'stop',
  summary: 'end a recording that goes on in the kernel without a recorder',
  about: [
    'After record --detach, and when a recorder was killed, the kernel records on. This stores what it holds and removes it from the kernel. A recorder that runs is ended by its own Ctrl-C or SIGTERM.',
  ],
  flags: {
    store: storeFlag,
    pin: {
      type: 'value',
      placeholder: 'DIR',
      doc: 'the directory of bpffs that it is pinned in, where record was given one; losslog doctor lists them',
      parse: nonEmpty,
    },
    discard: { type: 'switch', doc: 'do not store what the kernel holds' },
    json,
  },
  examples: [{ line: 'sudo losslog stop', doc: 'nothing of losslog stays in the kernel' }],
  run: async (values, output) => (await import('./stop.ts')).stop(values, output),
});

const doctor = defineCommand({
  name: 'doctor',
  summary: 'what this host can and cannot show, and how to mend it',
  about: ['Exit code 3 when recording is not possible.'],
  flags: { store: storeFlag, json },
  examples: [{ line: 'sudo losslog doctor', doc: 'look before you record' }],
  run: async (values, output) => (await import('./doctor.ts')).doctor(values, output),
});

const help = defineCommand({
  name: 'help',
  summary: 'help on a command',
  argument: {
    placeholder: 'COMMAND',
    doc: 'a command',
    choices: () => commands.map(({ name }) => name),
    required: false,
  },
  flags: {},
  examples: [{ line: 'losslog help show', doc: 'the same as losslog show --help' }],
  run: async (_values, output, [word]) => {
    const { commandHelp, overview } = await import('./help.ts');
    const command = commands.find(({ name }) => name === word);
    output.write(command ? commandHelp(command) : overview(commands));
    return 0;
  },
});

const SHELLS = ['bash', 'zsh'];

const completion = defineCommand({
  name: 'completion',
  summary: 'print a completion script for a shell',
  argument: { placeholder: 'SHELL', doc: SHELLS.join(' or '), choices: () => SHELLS, required: true },
  flags: {},
  examples: [{ line: 'source <(losslog completion bash)', doc: 'complete in this shell' }],
  run: async (_values, output, [word]) => {
    const { bashCompletion, zshCompletion } = await import('./completion.ts');
    output.write(word === 'zsh' ? zshCompletion(commands) : bashCompletion(commands));
    return 0;
  },
});

export const commands: readonly Command[] = [
  record,
  show,
  why,
  top,
  stop,
  coverageCommand,
  serve,
  exportCommand,
  convert,
  probes,
  offset,
  kprobe,
  doctor,
  help,
  completion,
];
