/** One host of a topology: a network namespace with an address, and what can be done in it. */

import type { Cgroup } from './cgroup.ts';
import type { CleanupStack } from './cleanup.ts';
import { run } from './command.ts';
import { type Counters, parseCounters } from './counters.ts';
import { DropRule, type Family, type PacketMatch } from './drop-rule.ts';
import { Netem } from './netem.ts';
import { netnsInode, netnsPath } from './netns.ts';
import { type NftMatch, NftRule } from './nft-rule.ts';
import { LabProcess } from './process.ts';
import { RateLimit, type RateLimitOptions } from './rate-limit.ts';

export interface HostOptions {
  /** Name of the namespace, as `ip netns` shows it. */
  name: string;
  /** The first device; a router has others too. */
  device: string;
  /** Ethernet address of that device. */
  mac: string;
  ip4: string;
  /** Empty where the topology was made without IPv6. */
  ip6: string;
  cleanup: CleanupStack;
}

export interface SpawnOptions {
  /** Put the process into this cgroup before it executes its first instruction. */
  cgroup?: Cgroup;
  environment?: Record<string, string>;
}

export class Host {
  readonly name: string;
  /** Inode number of the network namespace. */
  readonly netns: number;
  readonly device: string;
  readonly mac: string;
  readonly ip4: string;
  readonly ip6: string;
  readonly #cleanup: CleanupStack;

  constructor(options: HostOptions) {
    this.name = options.name;
    this.netns = netnsInode(options.name);
    this.device = options.device;
    this.mac = options.mac;
    this.ip4 = options.ip4;
    this.ip6 = options.ip6;
    this.#cleanup = options.cleanup;
  }

  /** Its address of that family. */
  ip(family: Family): string {
    return family === 4 ? this.ip4 : this.ip6;
  }

  /** Runs a command inside to its end and returns its stdout. @throws CommandFailed */
  exec(...command: string[]): string {
    return run('nsenter', this.#enter(), '--', ...command);
  }

  /** Starts a program inside; the lab ends it, if it has not ended by itself. */
  spawn(command: readonly string[], options: SpawnOptions = {}): LabProcess {
    const placed = options.cgroup ? [...options.cgroup.launcher(), ...command] : command;
    // nsenter and not `ip netns exec`: the latter hides /sys/fs/cgroup behind a fresh sysfs.
    const process = new LabProcess(['nsenter', this.#enter(), '--', ...placed], options.environment);
    this.#cleanup.defer(() => process.kill());
    return process;
  }

  /** The kernel's counters of this namespace, now. */
  counters(): Counters {
    return parseCounters(this.exec('sh', '-c', 'cat /proc/net/snmp /proc/net/netstat /proc/net/snmp6'));
  }

  /** Writes a sysctl of this namespace, like `net.ipv4.tcp_sack`. */
  sysctl(name: string, value: string | number): void {
    this.exec('sh', '-c', 'echo "$1" > "$2"', 'sh', String(value), `/proc/sys/${name.replaceAll('.', '/')}`);
  }

  /** Drops every nth packet that matches; the first n - 1 pass. */
  dropEveryNth(n: number, match: PacketMatch = {}): DropRule {
    const statistic = ['-m', 'statistic', '--mode', 'nth', '--every', String(n), '--packet', String(n - 1)];
    return this.dropMatching({ ...match, extra: [...(match.extra ?? []), ...statistic] });
  }

  /** Drops each matching packet with this probability (0 to 1). */
  dropRandomly(probability: number, match: PacketMatch = {}): DropRule {
    const statistic = ['-m', 'statistic', '--mode', 'random', '--probability', String(probability)];
    return this.dropMatching({ ...match, extra: [...(match.extra ?? []), ...statistic] });
  }

  /** Drops every packet that matches. */
  dropMatching(match: PacketMatch): DropRule {
    return new DropRule((...command) => this.exec(...command), match);
  }

  /** As {@link dropEveryNth}, by nft(8) itself. */
  nftDrop(match: NftMatch): NftRule {
    return new NftRule((...command) => this.exec(...command), match);
  }

  /** Puts a token bucket with a short queue in front of the device; what overflows is dropped by this host. */
  limitRate(options: RateLimitOptions): RateLimit {
    return new RateLimit((...command) => this.exec(...command), options.device ?? this.device, options);
  }

  /** Loses packets on their way out, at random. */
  netem(lossPercent: number): Netem {
    return new Netem((...command) => this.exec(...command), this.device, lossPercent);
  }

  /** Has one CPU handle what the device receives (receive packet steering, Documentation/networking/scaling.rst). */
  receiveOn(cpu: number): void {
    // /sys shows the devices of the namespace that mounted it
    const steer = 'mount -t sysfs sysfs /sys && echo "$1" > "/sys/class/net/$2/queues/rx-0/rps_cpus"';
    this.exec('unshare', '--mount', 'sh', '-c', steer, 'sh', (1 << cpu).toString(16), this.device);
  }

  /** Makes packets to an address or block vanish on their way out, by a blackhole route. */
  blackhole(prefix: string): void {
    this.exec('ip', prefix.includes(':') ? '-6' : '-4', 'route', 'add', 'blackhole', prefix);
  }

  #enter(): string {
    return `--net=${netnsPath(this.name)}`;
  }
}
