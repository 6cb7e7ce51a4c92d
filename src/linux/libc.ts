import koffi from 'koffi';

/** The C library that this process runs on, glibc or musl: its functions were loaded with it. */
export const libc = koffi.load(null);
