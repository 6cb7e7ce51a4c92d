/** bpftrace with one line a tracepoint, as one writes it. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabProcess } from '../../../lab/process.ts';
import { versionOf } from '../../packaged.ts';
import { withTracefs } from '../../tracefs.ts';
import {
  ATTACH_MS,
  bytesBelow,
  type Contestant,
  type Event,
  type Running,
  sumOf,
  type Tally,
  type Watch,
} from './contestant.ts';

/** Who, from where to where; why and where. */
const MINIMAL: Record<Event, string> = {
  retransmission:
    'tracepoint:tcp:tcp_retransmit_skb { printf("R %d %s %s %d %d\\n", pid, comm, ntop(args->daddr), args->sport, args->dport); }',
  drop: 'tracepoint:skb:kfree_skb { printf("D %d %llx\\n", args->reason, args->location); }',
};

/** What a record of losslog holds, but for the owner of the socket, which takes more than one tracepoint. */
const SAME_FIELDS: Record<Event, string> = {
  retransmission: `tracepoint:tcp:tcp_retransmit_skb {
  $sk = (struct sock *)args->skaddr; $tp = (struct tcp_sock *)args->skaddr; $icsk = (struct inet_connection_sock *)args->skaddr;
  $skb = (struct sk_buff *)args->skbaddr; $cb = (struct tcp_skb_cb *)($skb->cb);
  printf("R %llu %u %s %d %s %d %d %llu %u %d %s", nsecs, $sk->__sk_common.skc_net.net->ns.inum, ntop(args->saddr), args->sport,
    ntop(args->daddr), args->dport, args->state, cgroup, $sk->sk_uid.val, pid, comm);
  printf(" %d %d %u %u %u %u %u %u %u %u %u %u\\n", $icsk->icsk_pending, $icsk->icsk_retransmits, $icsk->icsk_rto, $tp->srtt_us, $tp->snd_cwnd,
    $tp->snd_ssthresh, $tp->packets_out, $tp->retrans_out, $tp->sacked_out, $tp->lost_out, $cb->seq, $cb->end_seq);
}`,
  drop: `tracepoint:skb:kfree_skb {
  $skb = (struct sk_buff *)args->skbaddr; $dev = $skb->dev; $ip = (struct iphdr *)($skb->head + $skb->network_header);
  $ports = (uint16 *)($skb->head + $skb->network_header + 20); $net = (uint32)0;
  if ($dev != 0) { $net = $dev->nd_net.net->ns.inum; }
  printf("D %llu %u %d %llx %d %d %s %s %d %s %d %d\\n", nsecs, $net, args->reason, args->location, args->protocol, $skb->len,
    ntop($ip->saddr), ntop($ip->daddr), $ip->protocol, $dev->name, *$ports, *($ports + 1));
}`,
};

async function start({ events, cgroup, directory, sameFields = false }: Watch): Promise<Running> {
  const file = join(directory, 'out');
  const script = events.map((event) => (sameFields ? SAME_FIELDS : MINIMAL)[event]).join('\n');
  const bpftrace = withTracefs('bpftrace', '-o', file, '-e', `BEGIN { printf("begun\\n"); } ${script}`);
  const process = new LabProcess([...cgroup.launcher(), ...bpftrace]);
  // It attaches BEGIN before the others, and does not say when it has attached them.
  await sleep(2 * ATTACH_MS);
  const stop = async (): Promise<Tally> => {
    process.signal('SIGINT');
    await process.wait(120_000);
    const text = readFileSync(file, 'latin1');
    if (!text.includes('begun')) throw new Error(`bpftrace: ${process.stderr}`);
    return {
      retransmissions: text.match(/^R /gm)?.length ?? 0,
      drops: text.match(/^D /gm)?.length ?? 0,
      toldLost: sumOf(`${text}\n${process.stderr}`, /Lost (\d+) events/g),
      bytes: bytesBelow(directory),
    };
  };
  return { pid: process.pid, stop, close: () => process.kill() };
}

export const bpftrace: Contestant = {
  name: 'bpftrace',
  version: `bpftrace ${versionOf('bpftrace')}`,
  how: `bpftrace -e '${Object.values(MINIMAL).join(' ')}'`,
  start,
};
