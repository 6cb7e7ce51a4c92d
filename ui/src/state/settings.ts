/** What a reader prefers; kept in the browser, not in the address. */

import { effect, signal } from '@preact/signals';
import type { Zone } from '../format/time.ts';

export type Theme = 'auto' | 'dark' | 'light';

const kept = <T extends string>(name: string, values: readonly T[]): T => {
  try {
    const value = localStorage.getItem(`losslog.${name}`);
    return values.find((one) => one === value) ?? (values[0] as T);
  } catch {
    // Storage may be forbidden; the preference then lasts as long as the page.
    return values[0] as T;
  }
};

const keep = (name: string, value: string): void => {
  try {
    localStorage.setItem(`losslog.${name}`, value);
  } catch {}
};

export const theme = signal<Theme>(kept('theme', ['auto', 'dark', 'light']));
export const zone = signal<Zone>(kept('zone', ['local', 'utc']));

const prefersDark = matchMedia('(prefers-color-scheme: dark)');
const systemIsDark = signal(prefersDark.matches);
prefersDark.addEventListener('change', ({ matches }) => {
  systemIsDark.value = matches;
});

/** Whether the page is dark now. */
export const isDark = signal(true);

effect(() => {
  isDark.value = theme.value === 'auto' ? systemIsDark.value : theme.value === 'dark';
  document.documentElement.dataset.theme = isDark.value ? 'dark' : 'light';
  keep('theme', theme.value);
});
effect(() => keep('zone', zone.value));

export function switchTheme(): void {
  theme.value = isDark.value ? 'light' : 'dark';
}

export function switchZone(): void {
  zone.value = zone.value === 'local' ? 'utc' : 'local';
}
