/** `losslog probes`. */

import { LosslogError } from '../base/errors.ts';
import { escapeJson } from '../base/escape.ts';
import { PROBES } from '../capture/kernel-facts.ts';
import { TRACEPOINTS } from '../capture/tracefs/tracepoints.ts';
import { openTracefs } from '../linux/tracefs-mount.ts';
import { type ListedTracepoint, listTracepoints, tracepointPattern } from '../linux/tracepoints.ts';
import type { Output } from './output.ts';

/** Prints the tracepoints that match, with their fields. */
export async function probes({ json }: { json?: true }, output: Output, pattern = '*:*'): Promise<number> {
  const tracefs = openTracefs();
  try {
    let isFirst = true;
    for (const tracepoint of listTracepoints(tracefs.path, tracepointPattern(pattern))) {
      await output.writeAndWait(json ? jsonLine(tracepoint) : text(tracepoint, output.color, isFirst));
      isFirst = false;
    }
    if (isFirst) {
      throw new LosslogError('NOT_FOUND', `no tracepoint of this kernel matches "${pattern}"`, {
        hint: "give a part of its name, or a pattern like 'tcp:*'",
      });
    }
  } finally {
    tracefs.close();
  }
  return 0;
}

/** What losslog makes of a tracepoint; undefined when it does not use it. */
function useOf({ group, name }: ListedTracepoint): string | undefined {
  const withoutBpf = TRACEPOINTS.find((candidate) => candidate.group === group && candidate.event === name);
  const probe = PROBES.find(({ tracepoint }) => tracepoint === name);
  if (!probe) return undefined;
  return `used by losslog (${withoutBpf ? 'bpf, ftrace' : 'bpf'}): without it ${probe.without}`;
}

function jsonLine(tracepoint: ListedTracepoint): string {
  const { group, name, id, fields } = tracepoint;
  const used = useOf(tracepoint);
  return `${escapeJson(JSON.stringify({ group, event: name, id, ...(used === undefined ? {} : { used }), fields }))}\n`;
}

function text(tracepoint: ListedTracepoint, color: boolean, isFirst: boolean): string {
  const { group, name, fields } = tracepoint;
  const bold = (word: string): string => (color ? `\x1b[1m${word}\x1b[0m` : word);
  const used = useOf(tracepoint);
  const rows = fields.map(({ offset, size, type, name: field }) => {
    const [, base = type, dimension = ''] = /^(.*?)(\[.*\])?$/.exec(type) ?? [];
    return `  ${String(offset).padStart(4)} ${String(size).padStart(4)}  ${base} ${field}${dimension}`;
  });
  const lines = [`${group}:${bold(name)}`, ...(used === undefined ? [] : [`  ${used}`]), ...rows];
  return `${isFirst ? '' : '\n'}${lines.join('\n')}\n`;
}
