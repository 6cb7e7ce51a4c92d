/** The filters in force, and a field for another. */

import { useRef } from 'preact/hooks';
import { shortContainerId } from '../../../src/event/container-id.ts';
import { visible } from '../format/text.ts';
import { FILTERS } from '../state/address.ts';
import { readFilter } from '../state/filter-text.ts';
import { linkToView, navigate, removeFilter, view } from '../state/view.ts';
import { say } from './announcer.tsx';

export const FILTER_FIELD = 'filter-field';

export function FilterBar() {
  const input = useRef<HTMLInputElement>(null);
  const { filters, all } = view.value;
  const chosen = FILTERS.filter((name) => filters[name] !== undefined);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const field = input.current;
    const found = field && readFilter(field.value);
    if (!field || !found) return;
    navigate({ filters: { ...filters, ...found }, event: undefined });
    field.value = '';
  };
  return (
    <div class="filters">
      <form onSubmit={submit}>
        <input
          id={FILTER_FIELD}
          ref={input}
          aria-label="Filter: an address, a port, a container, a reason, a process, or name=value"
          placeholder="filter: 10.1.2.0/24, :443, nginx, NETFILTER_DROP, pid=42 …"
          spellcheck={false}
          autocomplete="off"
        />
      </form>
      {chosen.map((name) => (
        <button type="button" class="chip" key={name} onClick={() => removeFilter(name)} title="Take this filter away">
          <span class="chip-name">{name}</span>{' '}
          {visible(name === 'container' ? shortContainerId(filters[name] ?? '') : (filters[name] ?? ''))}
          <span aria-hidden="true"> ×</span>
          <span class="sr-only">, take away</span>
        </button>
      ))}
      {chosen.length > 1 && (
        <button type="button" class="plain" onClick={() => navigate({ filters: {} })}>
          clear
        </button>
      )}
      <span class="spring" />
      <label class="check">
        <input type="checkbox" checked={all} onChange={() => navigate({ all: !all })} /> benign drops too
      </label>
      <button
        type="button"
        class="plain"
        onClick={() => void copyLink()}
        title="Copy the address of this view, its times fixed"
      >
        copy link
      </button>
    </div>
  );
}

async function copyLink(): Promise<void> {
  try {
    await navigator.clipboard.writeText(linkToView());
    say('The link is copied');
  } catch {
    // Without HTTPS a browser may refuse; the address line then holds what can be copied.
    history.replaceState(null, '', linkToView());
    say('The link is in the address line');
  }
}
