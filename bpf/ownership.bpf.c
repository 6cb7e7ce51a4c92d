/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What is noted while nothing is lost yet, so that a later loss finds its owner; and the ends of connections. */

PROBE(inet_sock_set_state, PROBE_INET_SOCK_SET_STATE, ctx[0])
{
	const struct sock *sk = (const struct sock *)ctx[0];
	int old_state = (int)ctx[1], new_state = (int)ctx[2];
	struct task_struct *task;
	struct noted_owner noted = {};
	__u64 key = (__u64)sk;
	__u8 how;

	if (BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP || !netns_wanted(netns_of(&sk->__sk_common)))
		return;
	if (new_state == TCP_LISTEN)
		remember_flow(sk, true, 0);
	if (new_state == TCP_ESTABLISHED)
		remember_flow(sk, false, bpf_jiffies64());
	if (new_state == TCP_CLOSE && old_state != TCP_CLOSE)
		report_ended(sk, netns_of(&sk->__sk_common));
	/* A socket that was just made for an incoming connection: what is noted for its address is of an earlier one. */
	if (new_state == TCP_SYN_RECV || (old_state == TCP_SYN_RECV && new_state == TCP_ESTABLISHED)) {
		bpf_map_delete_elem(&owners, &key);
		return;
	}
	task = task_in_syscall_on(sk);
	if (!task)
		return;
	how = new_state == TCP_SYN_SENT ? OWNER_CONNECT : new_state == TCP_LISTEN ? OWNER_LISTEN : OWNER_CLOSE;
	noted.inode = socket_inode(sk);
	describe_task(task, how, &noted.owner);
	bpf_map_update_elem(&owners, &key, &noted, how == OWNER_CLOSE ? BPF_NOEXIST : BPF_ANY);
	return;
}

/* Every open IP socket with a process that holds it; read at the start and when an unknown inode turns up. */
SEC("iter/task_file")
int list_sockets(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;
	struct task_struct *task = ctx->task;
	struct socket_record record = {};
	struct sock *sk;
	__u8 state;

	if (!file || !task)
		return 0;
	sk = inet_sock_of(file);
	if (!sk || !netns_wanted(netns_of(&sk->__sk_common)))
		return 0;
	if (BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP) {
		state = BPF_CORE_READ(sk, __sk_common.skc_state);
		if (state != TCP_CLOSE)
			remember_old_flow(sk, state == TCP_LISTEN);
	}
	record.sk = (__u64)sk;
	record.inode = BPF_CORE_READ(file, f_inode, i_ino);
	describe_task(task, OWNER_UNKNOWN, &record.owner);
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}
