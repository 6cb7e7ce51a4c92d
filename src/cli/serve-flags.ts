/** The flags of whatever serves: `serve`, and `record --listen`. */

import { choice, nonEmpty } from '../base/values.ts';
import { parseListen } from '../server/listen-address.ts';
import { TOTALS_BY } from '../store/totals.ts';
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
  'metrics-by': {
    type: 'list',
    placeholder: 'LABEL',
    doc: `metrics by ${TOTALS_BY.join(' or ')} too, for 200 of them at most; may be given twice`,
    parse: choice('label', TOTALS_BY),
    choices: TOTALS_BY,
  },
} as const satisfies FlagTable;
