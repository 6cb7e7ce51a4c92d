/** Where connection tracking keeps the addresses of a connection. */

import type { FieldPlaces } from '../linux/field-offsets.ts';

/** Bytes from the start of struct nf_conn (include/net/netfilter/nf_conntrack.h). */
export interface ConntrackFacts {
  readonly status: number;
  /** The tuple of the end that opened the connection, and that of the answers (enum ip_conntrack_dir). */
  readonly original: number;
  readonly reply: number;
}

/** Of struct conntrack_tuple in bpf/conntrack.h, which is that of the kernel. */
const TUPLE_BYTES = 40;
const TUPLE_MEMBERS = { 'src.u3': 0, 'src.u': 16, 'dst.u3': 20, 'dst.u': 36 } as const;

/**
 * @param modules asked only where the kernel itself does not have the type: connection tracking may be a module
 * @returns undefined where there is none, or its tuples are not as the kernel side reads them
 */
export function conntrackFacts(kernel: FieldPlaces, modules: () => FieldPlaces): ConntrackFacts | undefined {
  const places = kernel.place('nf_conn', 'status') ? kernel : modules();
  const at = (path: string): number | undefined => places.place('nf_conn', path)?.byteOffset;
  const [status, original, reply] = [at('status'), at('tuplehash[0].tuple'), at('tuplehash[1].tuple')];
  if (status === undefined || original === undefined || reply === undefined || !isAsRead(places)) return undefined;
  return { status, original, reply };
}

function isAsRead(places: FieldPlaces): boolean {
  const isInPlace = ([path, offset]: [string, number]): boolean =>
    places.place('nf_conntrack_tuple', path)?.byteOffset === offset;
  const size = places.place('nf_conn', 'tuplehash[0].tuple')?.size;
  return size === TUPLE_BYTES && Object.entries(TUPLE_MEMBERS).every(isInPlace);
}
