/** The embedded store: events on disk in slices of an hour, written by one process, read by any. */

export type { Pair } from './pairs.ts';
export { type StoreCoverage, StoreReader } from './reader.ts';
export { FLOW, OWNER, type ScanRow, type Selection, SOURCE } from './scan.ts';
export type { Session } from './session.ts';
export type { StoreSession } from './slice-writer.ts';
export type { SkippedSlice } from './slices.ts';
export type { TopRow } from './tally.ts';
export { StoreWriter, type StoreWriterOptions } from './writer.ts';
