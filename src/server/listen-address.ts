/** Where a server listens. */

import { isIP, isIPv6 } from 'node:net';
import { hostname } from 'node:os';
import { LosslogError } from '../base/errors.ts';
import { integer } from '../base/values.ts';

export interface ListenAddress {
  readonly address: string;
  /** 0: any that is free. */
  readonly port: number;
}

export const DEFAULT_LISTEN: ListenAddress = { address: '127.0.0.1', port: 7475 };

const parsePort = integer('port', 0, 65_535);

/** Reads `ADDR:PORT`, `ADDR` or `:PORT` (every address). @throws USAGE */
export function parseListen(text: string): ListenAddress {
  const bare = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  if (isIP(bare) !== 0) return { address: bare, port: DEFAULT_LISTEN.port };
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(text) ?? [];
  const address = host === '' ? '::' : host === 'localhost' ? '127.0.0.1' : host.replace(/^\[(.*)\]$/, '$1');
  if (port === '' || isIP(address) === 0 || (isIPv6(host) && host !== '')) {
    throw new LosslogError('USAGE', `"${text}" is not an address to listen on`, {
      hint: 'give it like 127.0.0.1:7475, [::1]:7475, 0.0.0.0:7475 or :7475 for every address',
    });
  }
  return { address, port: parsePort(port) };
}

/** Whether only this host can connect: 127.0.0.0/8 and ::1. */
export const isLoopback = ({ address }: ListenAddress): boolean => address.startsWith('127.') || address === '::1';

/** The URL of the page, without a path; by the name of this host where every address of it is meant. */
export function urlOf({ address, port }: ListenAddress, host = hostname()): string {
  const name = address === '::' || address === '0.0.0.0' ? host : isIPv6(address) ? `[${address}]` : address;
  return `http://${name}:${port}`;
}
