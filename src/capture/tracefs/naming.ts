/** Names for the numbers in ftrace's events: from the kernel's type information, else from the formats of its tracepoints. */

import { DropReasons } from '../../linux/drop-reasons.ts';
import { readKernelBtf, readModuleBtfs } from '../../linux/kernel-btf.ts';
import type { TraceFormat } from '../../linux/tracefs.ts';
import { Symbols } from '../symbols.ts';
import type { Naming } from './tracepoints.ts';

/** `__print_symbolic(REC->reason, { 2, "NOT_SPECIFIED" }, …)`; the kernel puts the numbers there itself. */
export function symbolicNames({ printFormat }: TraceFormat, field: string): Map<number, string> {
  const list =
    new RegExp(String.raw`__print_symbolic\(REC->${field},((?:\s*\{[^}]*\},?)+)`).exec(printFormat)?.[1] ?? '';
  const pairs = list.matchAll(/\{\s*(0x[0-9a-f]+|\d+),\s*"([^"]*)"\s*\}/gi);
  return new Map(Array.from(pairs, ([, value, name]) => [Number(value), name as string]));
}

export function kernelNaming(formats: readonly TraceFormat[]): Naming & { readonly blindSpots: readonly string[] } {
  const symbols = new Symbols();
  const reasons = readReasons();
  const printed = (event: string): Map<number, string> => {
    const format = formats.find(({ name }) => name === event);
    return format ? symbolicNames(format, 'reason') : new Map();
  };
  const drops = printed('kfree_skb');
  const resets = printed('tcp_send_reset');
  return {
    dropReason: (code) => reasons?.reasonName(code) ?? { reason: drops.get(code) ?? `UNKNOWN_${code}` },
    resetReason: (code) => reasons?.rstReasonName(code) ?? resets.get(code) ?? `UNKNOWN_${code}`,
    symbol: (address) => symbols.lookup(address),
    blindSpots: symbols.unavailable === undefined ? [] : [`${symbols.unavailable}: no place of a drop is named`],
  };
}

function readReasons(): DropReasons | undefined {
  try {
    return new DropReasons(readKernelBtf(), () => readModuleBtfs(readKernelBtf()));
  } catch {
    return undefined; // a kernel without type information: the reason why this source is used
  }
}
