/** Processors whose calling convention is known, by the names that kernels give them. */

export const ARCHITECTURES = ['x86_64', 'arm64'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];
