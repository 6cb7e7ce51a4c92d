/** `losslog kprobe`. */

import { LosslogError } from '../base/errors.ts';
import { fieldPlaces, KPROBE_GROUP, requireArchitecture } from '../capture/tracefs/kprobe-capture.ts';
import { definitionsFor, renderProbe } from '../capture/tracefs/kprobe-definitions.ts';
import type { Architecture } from '../linux/architecture.ts';
import { readBootIdentity } from '../linux/boot.ts';
import { Kallsyms } from '../linux/kallsyms.ts';
import { type Output, talk } from './output.ts';

/** Prints the definitions of the kprobe events as `record --source kprobe` would arm them; nothing is armed. */
export async function kprobe(
  { offsets, arch }: { print?: true; offsets?: string; arch?: Architecture },
  output: Output,
): Promise<number> {
  const places = fieldPlaces(offsets);
  const architecture = arch ?? requireArchitecture();
  const isOfThisKernel = places.kernel === undefined || places.kernel === readBootIdentity().kernelRelease;
  const has = isOfThisKernel ? functionsHere() : () => true;
  if (!isOfThisKernel) talk(`for Linux ${places.kernel}, which may not have all of these functions`);
  const lines = definitionsFor(places)
    .filter((definition) => has(definition.function))
    .map((definition) => renderProbe(definition, KPROBE_GROUP, places, architecture));
  await output.writeAndWait(`${lines.join('\n')}\n`);
  return 0;
}

/** Which functions this kernel has; all, where it hides its symbols. */
function functionsHere(): (name: string) => boolean {
  try {
    const symbols = Kallsyms.read();
    return (name) => symbols.addressOf(name) !== undefined;
  } catch (error) {
    if (!(error instanceof LosslogError)) throw error;
    talk(`${error.message}: definitions for functions that this kernel does not have are among these`);
    return () => true;
  }
}
