/** Numbers and names as text. */

/**
 * What a browser would not show, or would let rearrange the text around it: controls, bidirectional overrides, zero-width characters,
 * lone surrogates, separators. Names of processes and devices may hold any of them.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** The text with such characters as escapes: `\x1b[31m`. Markup needs no care here: Preact writes text, never HTML. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, (character) => {
    const code = character.codePointAt(0) as number;
    if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
    return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

const grouped = new Intl.NumberFormat('en', { useGrouping: true });

/** `12,345` */
export const countText = (value: number): string => grouped.format(value);

/** At most five characters: `9,999`, `12.3k`, `4.6M`. */
export function shortCount(value: number): string {
  if (value < 10_000) return countText(value);
  const [size, unit] = value < 1e6 ? [1e3, 'k'] : value < 1e9 ? [1e6, 'M'] : [1e9, 'G'];
  const scaled = value / size;
  return `${scaled < 99.95 ? scaled.toFixed(1) : Math.round(scaled)}${unit}`;
}

/** `1 drop`, `3 drops` */
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${countText(count)} ${count === 1 ? one : many}`;

/** `10.0.0.2:443`, `[2001:db8::1]:443`; `?` for an address that is not known. */
export function endpointText(address: string | undefined, port: number | undefined): string {
  const host = address ?? '?';
  if (port === undefined) return host;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
