/** Filters as a person types or pastes them. */

import { FILTERS, type FilterName, type Filters } from './address.ts';

/** Upper-case words of at least two parts are reasons: every reason of the kernel looks like that. */
const REASON = /^[A-Z0-9]+(_[A-Z0-9]+)+$/;
const IPV4 = /^\d{1,3}(\.\d{1,3}){3}(\/\d{1,2})?$/;
const IPV6 = /^(?=.*:.*:)[0-9a-f:.]+(\/\d{1,3})?$/i;

/** `10.1.2.3`, `10.1.2.3:443`, `:443`, `NETFILTER_DROP`, a container's id, `pid=42`; anything else is a process. */
export function readFilter(text: string): Filters | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  const [, name, value] = /^([a-z]+)\s*[=:]\s*(.+)$/s.exec(trimmed) ?? [];
  const filter = FILTERS.find((one) => one === name);
  if (filter && value) return { [filter]: value };
  return guess(trimmed);
}

function guess(text: string): Filters {
  const [, host, port] = /^(.*):(\d{1,5})$/.exec(text) ?? [];
  if (host === '' && port) return { port };
  if (IPV4.test(text) || IPV6.test(text)) return { peer: text };
  if (host !== undefined && port && IPV4.test(host)) return { peer: host, port };
  const [, bracketed, itsPort] = /^\[(.+)\](?::(\d{1,5}))?$/.exec(text) ?? [];
  if (bracketed && IPV6.test(bracketed)) return itsPort ? { peer: bracketed, port: itsPort } : { peer: bracketed };
  return { [kindOf(text)]: text };
}

function kindOf(text: string): FilterName {
  if (REASON.test(text)) return 'reason';
  if (/^[0-9a-f]{12,64}$/.test(text)) return 'container';
  return 'process';
}
