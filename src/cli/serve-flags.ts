/** The flags of whatever serves: `serve`, and `record --listen`. */

import { nonEmpty } from '../base/values.ts';
import { parseListen } from '../server/listen-address.ts';
import type { FlagTable } from './flag.ts';

export const serveFlags = {
  listen: {
    type: 'value',
    placeholder: 'ADDR:PORT',
    doc: 'where; any address but loopback needs the token',
    parse: parseListen,
  },
  token: { type: 'switch', doc: 'ask for the token on loopback too, where other users of this host could look' },
  'token-file': {
    type: 'value',
    placeholder: 'FILE',
    doc: 'where the token is kept; made, when it is not there (STORE/token)',
    parse: nonEmpty,
  },
} as const satisfies FlagTable;
