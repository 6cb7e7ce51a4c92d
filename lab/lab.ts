/**
 * Reproducible topologies of network namespaces, for tests, demo and benchmarks. Needs root.
 *
 * ```ts
 * await using lab = Lab.create();
 * const { client, server } = lab.twoHosts();
 * const loss = server.dropEveryNth(50, { protocol: 'tcp' });
 * const sink = await startSink(server);
 * await sendTcp(client, { host: server.ip4, port: sink.port, bytes: 1_000_000 });
 * console.log(loss.packets(), client.counters().get('Tcp.RetransSegs'));
 * ```
 *
 * Leaving the block removes everything; so do an exception, SIGINT and SIGTERM. What a killed (SIGKILL) lab left is
 * removed by the next one.
 */

import { LosslogError } from '../src/base/errors.ts';
import { Cgroup, type CgroupVersion, cgroupMount } from './cgroup.ts';
import { CleanupStack } from './cleanup.ts';
import { Host } from './host.ts';
import { uniqueName } from './names.ts';
import { createNetns, deleteNetns } from './netns.ts';
import { removeStale } from './stale.ts';
import { addDefaultRoute, type End, type LinkOptions, link, linkThrough, prepareNetns, sysctl } from './topology.ts';

export interface TopologyOptions extends LinkOptions {
  /**
   * Third number of the addresses, 1 to 250. Topologies of equal subnet have equal addresses in different namespaces.
   * Default: 1.
   */
  subnet?: number;
}

export class Lab {
  readonly #cleanup = new CleanupStack();

  /** Starts a lab, and first removes what dead labs left behind. @throws NOT_PERMITTED without root. */
  static create(): Lab {
    if (process.geteuid?.() !== 0) {
      throw new LosslogError('NOT_PERMITTED', 'a lab of network namespaces needs root', { hint: 'run it with sudo' });
    }
    removeStale();
    return new Lab();
  }

  /** Two hosts on a veth pair: 10.99.S.1 and fd99:S::1 – 10.99.S.2 and fd99:S::2. */
  twoHosts(options: TopologyOptions = {}): { client: Host; server: Host } {
    const subnet = options.subnet ?? 1;
    const client = this.#end('client', options, 'eth0', subnet, 1);
    const server = this.#end('server', options, 'eth0', subnet, 2);
    link(client, server, options);
    return { client: this.#host(client), server: this.#host(server) };
  }

  /** A client in subnet S, a server in subnet S + 1, and a router (.254 in both; `eth0` faces the client). */
  routed(options: TopologyOptions = {}): { client: Host; router: Host; server: Host } {
    const subnet = options.subnet ?? 1;
    const client = this.#end('client', options, 'eth0', subnet, 1);
    const router = this.#end('router', options, 'eth0', subnet, 254);
    const farSide = { ...router, device: 'eth1', ...addresses(subnet + 1, 254, options) };
    const server = this.#end('server', options, 'eth0', subnet + 1, 2);
    link(client, router, options);
    link(farSide, server, options);
    this.#forward(router, options);
    addDefaultRoute(client.netns, router);
    addDefaultRoute(server.netns, farSide);
    return { client: this.#host(client), router: this.#host(router), server: this.#host(server) };
  }

  /**
   * As {@link twoHosts}, with a namespace between them that has no address and carries nothing yet: its devices `client`
   * and `server` are for a bridge or for startWire().
   */
  between(options: TopologyOptions = {}): { client: Host; middle: Host; server: Host } {
    const subnet = options.subnet ?? 1;
    const client = this.#end('client', options, 'eth0', subnet, 1);
    const server = this.#end('server', options, 'eth0', subnet, 2);
    const middle: End = { ...this.#end('middle', { ...options, ipv6: false }, 'client', subnet, 0), ip4: '' };
    linkThrough(middle.netns, { ...client, port: 'client' }, { ...server, port: 'server' }, options);
    return { client: this.#host(client), middle: this.#host(middle), server: this.#host(server) };
  }

  /** One more host, on a device and a subnet of its own (`host` is .254, the new one .1). */
  attach(host: Host, role: string, options: TopologyOptions & { device: string; subnet: number }): Host {
    const { device, subnet } = options;
    const end = this.#end(role, options, 'eth0', subnet, 1);
    const far = { netns: host.name, device, ...addresses(subnet, 254, options) };
    link(end, far, options);
    addDefaultRoute(end.netns, far);
    return this.#host(end);
  }

  /**
   * A cgroup of that name (`docker-<64 hex>.scope`), below one of this lab. Version 2 when it is mounted, unless a
   * version is asked for.
   */
  cgroup(name: string, version?: CgroupVersion): Cgroup {
    const mount = cgroupMount(version);
    const cgroup = new Cgroup(mount, `/${uniqueName('cgroup')}/${name}`);
    this.#cleanup.defer(() => cgroup.remove());
    return cgroup;
  }

  /** Has `step` run before what was made earlier is removed. */
  defer(step: () => void): void {
    this.#cleanup.defer(step);
  }

  /** Ends every process and removes everything that this lab made. */
  close(): void {
    this.#cleanup.run();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #end(role: string, options: TopologyOptions, device: string, subnet: number, last: number): End {
    const netns = uniqueName(role);
    createNetns(netns);
    this.#cleanup.defer(() => deleteNetns(netns));
    prepareNetns(netns, options.ipv6 !== false);
    return { netns, device, ...addresses(subnet, last, options) };
  }

  #forward(router: End, options: TopologyOptions): void {
    sysctl(router.netns, 'net/ipv4/ip_forward', '1');
    if (options.ipv6 !== false) sysctl(router.netns, 'net/ipv6/conf/all/forwarding', '1');
  }

  #host(end: End): Host {
    const { netns: name, device, mac, ip4, ip6 } = end;
    return new Host({ name, device, mac, ip4, ip6, cleanup: this.#cleanup });
  }
}

function addresses(subnet: number, last: number, options: TopologyOptions): Pick<End, 'mac' | 'ip4' | 'ip6'> {
  const hex = (value: number): string => value.toString(16).padStart(2, '0');
  return {
    mac: `02:00:63:${hex(subnet)}:00:${hex(last)}`,
    ip4: `10.99.${subnet}.${last}`,
    ip6: options.ipv6 === false ? '' : `fd99:${subnet}::${last}`,
  };
}
