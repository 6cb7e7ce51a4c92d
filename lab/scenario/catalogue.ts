/** The scenarios by name: those of the files in lab/scenarios/. */

import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Family } from '../drop-rule.ts';
import type { Scenario } from './scenario.ts';

const DIRECTORY = new URL('../scenarios/', import.meta.url);

export function scenarioNames(): string[] {
  const files = readdirSync(fileURLToPath(DIRECTORY)).filter((file) => file.endsWith('.ts'));
  return files.map((file) => file.slice(0, -'.ts'.length)).sort();
}

/** @param name one of {@link scenarioNames} */
export async function loadScenario(name: string): Promise<Scenario> {
  const module = (await import(new URL(`${name}.ts`, DIRECTORY).href)) as { default: Scenario };
  return module.default;
}

export const familiesOf = (scenario: Scenario): readonly Family[] => scenario.families ?? [4, 6];
