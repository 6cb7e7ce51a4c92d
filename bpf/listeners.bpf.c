/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What no tracepoint tells: a SYN or a connection that a listening socket refused is freed without a drop event. The kernel counts it in the
 * socket (sk_drops, by tcp_listendrop()) and in its namespace (ListenDrops).
 */

/* Every listening TCP socket with a process that holds it, in all namespaces; read when one of these counters grew. */
SEC("iter/task_file")
int list_listeners(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;
	struct task_struct *task = ctx->task;
	struct listener_record record = {};
	const struct inet_connection_sock *icsk;
	struct sock *sk;

	if (!file || !task)
		return 0;
	sk = inet_sock_of(file);
	if (!sk || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP ||
	    BPF_CORE_READ(sk, __sk_common.skc_state) != TCP_LISTEN)
		return 0;
	record.netns = netns_of(&sk->__sk_common);
	if (!netns_wanted(record.netns))
		return 0;
	icsk = (const struct inet_connection_sock *)sk;
	record.family = read_tuple(&sk->__sk_common, &record.flow);
	record.inode = BPF_CORE_READ(file, f_inode, i_ino);
	record.cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	record.uid = BPF_CORE_READ(sk, sk_uid.val);
	record.drops = BPF_CORE_READ(sk, sk_drops.counter);
	record.queue = BPF_CORE_READ(sk, sk_ack_backlog);
	record.backlog = BPF_CORE_READ(sk, sk_max_ack_backlog);
	record.syn_queue = BPF_CORE_READ(icsk, icsk_accept_queue.qlen.counter);
	describe_task(task, OWNER_UNKNOWN, &record.owner);
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}
