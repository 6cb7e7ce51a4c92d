/** A script of bpftrace on the two tracepoints, as one writes it at the time, beside a scenario. */

import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../../lab/command.ts';
import { LabProcess } from '../../lab/process.ts';
import { withTracefs } from '../tracefs.ts';
import { countEach, isOwner, type Told } from './told.ts';

/**
 * ETH_P_IPV6; the scenarios are played over IPv4, and what hosts say over IPv6 by themselves (router solicitations) is no part of
 * them. A packet that was not routed has no protocol yet.
 */
const IPV6 = 0x86dd;

/**
 * Only in these namespaces: other things run on this machine, too. A packet that TCP has taken has no device any more, only the
 * receiving socket (`rx_sk`, in newer kernels).
 */
function script(netns: readonly number[]): string {
  const isOurs = netns.map((inode) => `$net == ${inode}`).join(' || ');
  return `
tracepoint:tcp:tcp_retransmit_skb {
  $net = ((struct sock *)args->skaddr)->__sk_common.skc_net.net->ns.inum;
  if (${isOurs}) { printf("R\\t%s\\n", comm); }
}
tracepoint:skb:kfree_skb /args->protocol != ${IPV6}/ {
  $skb = (struct sk_buff *)args->skbaddr;
  $rx = (struct sock *)args->rx_sk;
  $net = (uint32)0;
  if ($skb->dev != 0) { $net = $skb->dev->nd_net.net->ns.inum; }
  else if ($skb->sk != 0) { $net = $skb->sk->__sk_common.skc_net.net->ns.inum; }
  else if ($rx != 0) { $net = $rx->__sk_common.skc_net.net->ns.inum; }
  if (${isOurs}) { printf("D\\t%s\\t%d\\t%s\\n", comm, args->reason, ksym(args->location)); }
}`;
}

const ATTACH_MS = 1000;

export class Bpftrace {
  readonly #process: LabProcess;

  private constructor(netns: readonly number[]) {
    this.#process = new LabProcess(withTracefs('bpftrace', '-B', 'line', '-e', script(netns)));
  }

  /** @param netns inode numbers of the namespaces that it looks at. @throws with what it says, when it does not run */
  static async start(netns: readonly number[]): Promise<Bpftrace> {
    const tool = new Bpftrace(netns);
    try {
      // The line is printed before it attaches; none says that it has.
      await tool.#process.line();
      await sleep(ATTACH_MS);
      return tool;
    } catch (error) {
      tool.close();
      throw error;
    }
  }

  end(): void {
    this.#process.signal('SIGINT');
  }

  close(): void {
    this.#process.kill();
  }

  /** After {@link end}. @throws when it says that it lost events */
  async told(): Promise<Told> {
    await this.#process.wait();
    const events: string[][] = [];
    for await (const line of this.#process.lines()) events.push(line.split('\t'));
    const lost = `${this.#process.stderr}\n${events.join('\n')}`.match(/^Lost \d+ events/m);
    if (lost) throw new Error(`bpftrace: ${lost[0]}`);
    const resent = events.filter(([kind]) => kind === 'R');
    const drops = events.filter(([kind]) => kind === 'D');
    const owners = [...resent, ...drops].map(([, comm]) => comm);
    const names = reasonNames();
    return {
      resent: resent.length,
      groups: countEach(drops.map(([, , reason = '', place = '']) => `${names.get(reason) ?? reason} in ${place}`)),
      owner: { right: owners.filter(isOwner).length, of: owners.length },
    };
  }
}

/** bpftrace prints numbers; their names are in the kernel's description of the tracepoint. */
function reasonNames(): Map<string, string> {
  const [program = '', ...args] = withTracefs('cat', '/sys/kernel/tracing/events/skb/kfree_skb/format');
  const pairs = run(program, ...args).matchAll(/\{ (\d+), "(\w+)" \}/g);
  return new Map([...pairs].map(([, number = '', name = '']) => [number, name]));
}
