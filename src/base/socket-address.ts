/** An address with a port, as `ss` and `netstat` print it. */

import { LosslogError } from './errors.ts';
import { formatIp, type IpBytes, parseIp } from './ip.ts';
import { parsePort } from './values.ts';

export interface SocketAddress {
  address: IpBytes;
  port: number;
}

/** Reads `10.0.0.9:443` or `[2001:db8::1]:443`. @throws USAGE when it is neither. */
export function parseSocketAddress(text: string): SocketAddress {
  const [, six, four, port] = /^(?:\[(.+)\]|([\d.]+)):(\d{1,5})$/.exec(text) ?? [];
  const address = parseIp(six ?? four ?? '');
  if (!address || port === undefined) {
    throw new LosslogError('USAGE', `"${text}" is not an address with a port`, {
      hint: 'give it like 10.0.0.9:443 or [2001:db8::1]:443',
    });
  }
  return { address, port: parsePort(port) };
}

/** `10.0.0.9:443`, `[2001:db8::1]:443`. */
export function formatSocketAddress({ address, port }: SocketAddress): string {
  const text = formatIp(address);
  return text.includes(':') ? `[${text}]:${port}` : `${text}:${port}`;
}
