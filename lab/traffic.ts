/** The traffic programs of lab/traffic/, started on a host. */

import { fileURLToPath } from 'node:url';
import { compiled } from './compile.ts';
import type { Host, SpawnOptions } from './host.ts';
import type { LabProcess } from './process.ts';
import type { DeafOptions } from './traffic/deaf.ts';
import type { FullListenerOptions } from './traffic/full-listener.ts';
import type { HolderOptions, HolderState } from './traffic/holder.ts';
import type { SendOptions, SendResult } from './traffic/send.ts';
import type { SinkOptions, SinkStats } from './traffic/sink.ts';

/** A server that listens. */
export interface Sink {
  process: LabProcess;
  port: number;
  stats(): Promise<SinkStats>;
}

/** Starts a TCP server that reads and forgets; with `read: false` one that accepts and never reads. */
export async function startSink(host: Host, options: SinkOptions = {}, spawn: SpawnOptions = {}): Promise<Sink> {
  const process = start(host, 'sink', options, spawn);
  const { port } = await process.answer<{ port: number }>();
  const stats = (): Promise<SinkStats> => {
    process.tell('stats');
    return process.answer<SinkStats>();
  };
  return { process, port, stats };
}

/** Sends over TCP and resolves when all connections have ended. */
export async function sendTcp(
  host: Host,
  options: SendOptions,
  { timeoutMs = 60_000, ...spawn }: SpawnOptions & { timeoutMs?: number } = {},
): Promise<SendResult> {
  const process = start(host, 'send', options, spawn);
  try {
    return await process.answer<SendResult>(timeoutMs);
  } finally {
    process.kill();
  }
}

/** `count` connections that send a little and close, `concurrency` at a time. */
export function connectOften(
  host: Host,
  to: { host: string; port: number; count: number; concurrency?: number; bytes?: number; title?: string },
): Promise<SendResult> {
  const { count, concurrency = 10, bytes = 100, ...target } = to;
  const rounds = Math.ceil(count / concurrency);
  return sendTcp(host, { ...target, bytes, connections: concurrency, rounds });
}

/** A connection that does what it is told; see traffic/holder.ts for the commands. */
export interface Holder {
  process: LabProcess;
  localPort: number;
  /** Gives a command and resolves with the state after it. `exit` has no answer: use {@link LabProcess.kill}. */
  tell(command: 'close' | 'shutdown' | 'abort' | 'state' | `send ${number}`): Promise<HolderState>;
}

/** Opens a connection and holds it. @throws when it cannot be opened. */
export async function holdConnection(host: Host, options: HolderOptions, spawn: SpawnOptions = {}): Promise<Holder> {
  const process = start(host, 'holder', options, spawn);
  const { localPort, error } = await process.answer<HolderState>();
  if (error !== undefined) throw new Error(`cannot connect to ${options.host}:${options.port}: ${error}`);
  const tell = (command: string): Promise<HolderState> => {
    process.tell(command);
    return process.answer<HolderState>();
  };
  return { process, localPort, tell };
}

/** Starts a server that never accepts; `backlog` + 1 connections fill its queue. */
export async function startFullListener(
  host: Host,
  options: FullListenerOptions = {},
  spawn: SpawnOptions = {},
): Promise<{ process: LabProcess; port: number }> {
  const process = start(host, 'full-listener', options, spawn);
  return { process, ...(await process.answer<{ port: number }>()) };
}

/** Starts a process that has a UDP port and never reads it. */
export async function startDeaf(host: Host, options: DeafOptions): Promise<{ process: LabProcess; port: number }> {
  const process = start(host, 'deaf', options, {});
  return { process, ...(await process.answer<{ port: number }>()) };
}

export interface BlastOptions {
  host: string;
  port: number;
  count: number;
  /** Payload bytes a packet. Default: 100. */
  bytes?: number;
  /** Source port. Default: any free one. */
  sport?: number;
  /** Packets a second. Default: as fast as possible (hundreds of thousands). */
  rate?: number;
  /** Run on this CPU only. */
  cpu?: number;
}

/** Sends exactly `count` UDP packets. `failed` are those that this host itself refused. */
export async function blastUdp(host: Host, options: BlastOptions): Promise<{ sent: number; failed: number }> {
  const { bytes = 100, sport = 0, rate = 0 } = options;
  const numbers = [options.port, options.count, bytes, sport, rate].map(String);
  return host.spawn([...pinned(options.cpu), compiled('blast'), options.host, ...numbers]).answer(60_000);
}

/** In front of a command: runs it on this CPU only. */
const pinned = (cpu: number | undefined): string[] => (cpu === undefined ? [] : ['taskset', '--cpu-list', String(cpu)]);

/** Sends exactly `count` UDP packets as fast as possible, each from another IPv4 address and port, none of them the host's. */
export async function floodUdp(
  host: Host,
  options: { host: string; port: number; count: number; bytes?: number },
): Promise<{ sent: number; failed: number; cpuMs: number }> {
  const numbers = [options.port, options.count, options.bytes ?? 100].map(String);
  return host.spawn([compiled('flood'), options.host, ...numbers]).answer(60_000);
}

/** Puts raw Ethernet frames on the host's device, each `count` times. `failed` are those that its own queue refused. */
export async function injectFrames(
  host: Host,
  frames: readonly Uint8Array[],
  count = 1,
  { cpu }: Pick<BlastOptions, 'cpu'> = {},
): Promise<{ sent: number; failed: number }> {
  const hex = frames.map((frame) => Buffer.from(frame).toString('hex'));
  return host.spawn([...pinned(cpu), compiled('inject'), host.device, String(count), ...hex]).answer(60_000);
}

export interface WireOptions {
  /** Default: `none`. `corrupt` is for topologies with `tso: false`. */
  fault?: 'none' | 'drop' | 'corrupt' | 'overtaken';
  /** Which TCP packets with payload from client to server it hits. Default: every one. */
  every?: number;
  /** Of `overtaken`: how many of these packets go before it; fewer than `every`. */
  by?: number;
}

/** How many frames a wire has carried or not, and how many its fault has hit. */
export interface WireStats {
  carried: number;
  hit: number;
}

/** Joins the devices `client` and `server` of a namespace by a program that loses, damages or holds back packets. */
export async function startWire(
  middle: Host,
  { fault = 'none', every = 1, by = 0 }: WireOptions = {},
): Promise<{ process: LabProcess; stats(): Promise<WireStats> }> {
  const process = middle.spawn([compiled('wire'), 'client', 'server', fault, String(every), String(by)]);
  await process.answer<WireStats>();
  const stats = (): Promise<WireStats> => {
    process.tell('stats');
    return process.answer<WireStats>();
  };
  return { process, stats };
}

/**
 * Opens a connection that another task than the one that connected sends on: a thread of the process, or a child that is
 * the only one to still hold the socket.
 */
export async function splitSender(
  host: Host,
  { mode, host: to, port }: { mode: 'thread' | 'fork'; host: string; port: number },
): Promise<{ leader: number }> {
  return host.spawn([compiled('split'), mode, to, String(port)]).answer();
}

function start(host: Host, program: string, options: object, spawn: SpawnOptions): LabProcess {
  const path = fileURLToPath(new URL(`./traffic/${program}.ts`, import.meta.url));
  return host.spawn([process.execPath, '--disable-warning=ExperimentalWarning', path, JSON.stringify(options)], spawn);
}
