/** docs/comparison.md, from what a run has found. */

import type { Packaged } from '../packaged.ts';
import type { Told } from './told.ts';

export interface Row {
  scenario: string;
  description: string;
  /** Counters of others than these tools. */
  happened: Readonly<Record<string, number>>;
  /** Tcp.RetransSegs of the hosts that are looked at. */
  resent: number;
  expected: string;
  losslog: Told;
  bpftrace: Told;
  tshark: Told;
}

export interface About {
  kernel: string;
  versions: string;
  packaged: readonly Packaged[];
  notMade: readonly string[];
}

const TOOLS = ['losslog', 'bpftrace', 'tshark'] as const;
type Tool = (typeof TOOLS)[number];

/** More groups than these are summed up. */
const GROUPS_SHOWN = 4;

export function page(rows: readonly Row[], { kernel, versions, packaged, notMade }: About): string {
  return `# What other tools tell of the same faults

Written by \`node --disable-warning=ExperimentalWarning bench/compare/main.ts\`, which plays scenarios of [the lab](lab.md) over IPv4 with losslog and the others recording
at once. This run: Linux ${kernel}, ${versions}.

- **losslog**: \`record\`, then \`show\` without benign drops, and the first incident of \`why\`.
- **bpftrace**: a script on tracepoints \`tcp:tcp_retransmit_skb\` and \`skb:kfree_skb\` that prints \`comm\`, reason and function; all but IPv6, in the namespaces of the scenario.
- **tshark**: a capture at the client's device (dumpcap), and of it \`-z expert\` without chats. Resent is what \`tcp.analysis\` marks as a retransmission of any kind.

How it is judged, by the program:

- *resent k of n*: n is \`Tcp.RetransSegs\` of all hosts that are looked at. bpftrace's k are events, of which one may be several segments; tshark's k are frames
  that reached the device.
- *owner k of n*: n are the retransmissions and drops that the tool tells, k those for which it names a program of the scenario (either end; a program that sends UDP or
  only answers with a RST has none). bpftrace's \`comm\` is whoever ran then, so that some of its k are luck: in the lab both ends share the machine.
  bpftrace's n holds benign frees, too, which the script does not tell from loss; losslog names nobody for a packet that is dropped where it has no socket, in a router, say.
- *verdict*: right when rule and namespace are those that the scenario was made for. bpftrace and tshark have none to give.
- *says itself*: what losslog tells by itself to have missed ([coverage](events/coverage.md)).

| | resent | owner | verdict |
| --- | --- | --- | --- |
${TOOLS.map((tool) => totals(tool, rows)).join('\n')}

The packaged tools, started on this machine:

| tool | package | |
| --- | --- | --- |
${packaged.map(({ name, from, error }) => `| ${name} | ${from} | ${error ? `does not run: \`${cell(error)}\`` : 'runs; what it prints has not been compared'} |`).join('\n')}

${notMade.map((why) => `Left out, as it failed in this run: ${why}.\n\n`).join('')}| what happened | losslog | bpftrace | tshark at the client |
| --- | --- | --- | --- |
${rows.map(tableRow).join('\n')}
`;
}

function totals(tool: Tool, rows: readonly Row[]): string {
  const sum = (pick: (row: Row) => number): number => rows.reduce((total, row) => total + pick(row), 0);
  const resent = `${sum((row) => row[tool].resent)} of ${sum((row) => row.resent)}`;
  const hasOwner = rows.some((row) => row[tool].owner);
  const owner = `${sum((row) => row[tool].owner?.right ?? 0)} of ${sum((row) => row[tool].owner?.of ?? 0)}`;
  const hasVerdict = rows.some((row) => row[tool].verdict);
  const verdict = `right in ${sum((row) => Number(row[tool].verdict?.isRight ?? false))} of ${rows.length}`;
  return `| ${tool} | ${resent} | ${hasOwner ? owner : 'none'} | ${hasVerdict ? verdict : 'none'} |`;
}

function tableRow(row: Row): string {
  const counted = { ...row.happened, 'Tcp.RetransSegs': row.resent };
  const happened = [
    `**${row.scenario}**: ${row.description}`,
    ...Object.entries(counted).map(([what, count]) => `${what}: ${count}`),
    `made for: ${row.expected}`,
  ];
  const cells = TOOLS.map((tool) => toldLines(row[tool], row.resent).map(cell).join('<br>'));
  return `| ${happened.map(cell).join('<br>')} | ${cells.join(' | ')} |`;
}

function toldLines({ resent, groups, owner, missed, verdict }: Told, of: number): string[] {
  const shown = [...groups].slice(0, GROUPS_SHOWN);
  const rest = [...groups.values()].slice(GROUPS_SHOWN);
  return [
    `resent ${resent} of ${of}`,
    ...shown.map(([what, count]) => `${count} × ${what}`),
    ...(rest.length > 0 ? [`${rest.reduce((a, b) => a + b)} × ${rest.length} others`] : []),
    ...(owner ? [`owner ${owner.right} of ${owner.of}`] : []),
    ...(missed ? [`says itself: ${missed}`] : []),
    ...(verdict ? [`verdict ${verdict.isRight ? 'right' : 'wrong'}: ${verdict.text}`] : []),
  ];
}

/** Names of namespaces of the lab differ in each run but for their role. */
const cell = (text: string): string => text.replace(/losslog-\d+-\d+-/g, '').replaceAll('|', '\\|');
