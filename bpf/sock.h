/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What a record takes from a struct sock, mini-sockets (request, time-wait) included. */
#ifndef LOSSLOG_SOCK_H
#define LOSSLOG_SOCK_H

static __always_inline __u32 netns_of(const struct sock_common *skc)
{
	return BPF_CORE_READ(skc, skc_net.net, ns.inum);
}

static __always_inline bool netns_wanted(__u32 netns)
{
	if (!netns_count)
		return true;
	for (int i = 0; i < BOUND_FIRST_NETNS; i++)
		if (netns == netns_first[i])
			return true;
	return netns_count > BOUND_FIRST_NETNS && bpf_map_lookup_elem(&netns_filter, &netns);
}

/* What the connections that share a limit are told apart by. */
static __always_inline __u64 connection_key(const struct sock *sk, __u32 netns)
{
	return netns | (__u64)BPF_CORE_READ(sk, __sk_common.skc_num) << 32 | (__u64)BPF_CORE_READ(sk, __sk_common.skc_dport) << 48;
}

static __always_inline bool is_mini_sock(__u8 state)
{
	return state == TCP_NEW_SYN_RECV || state == TCP_TIME_WAIT;
}

/* skb->sk may be a socket of another family (packet, netlink, unix): only those of IP have the fields we read. */
static __always_inline bool is_inet(const struct sock *sk)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	return family == AF_INET || family == AF_INET6;
}

/* The IP socket that a file is open on; NULL when it is no such file. */
static __always_inline struct sock *inet_sock_of(struct file *file)
{
	struct socket *socket;
	struct sock *sk;

	if (BPF_CORE_READ(file, f_inode, i_sb, s_magic) != SOCKFS_MAGIC)
		return NULL;
	socket = BPF_CORE_READ(file, private_data);
	sk = BPF_CORE_READ(socket, sk);
	return sk && is_inet(sk) ? sk : NULL;
}

/*
 * The tuple as the local end sees it. IPv4-mapped addresses become IPv4, so that a dual-stack socket has the tuple of
 * its packets. Returns the family, 0 when the socket is not of IP.
 */
static __always_inline __u8 read_tuple(const struct sock_common *skc, struct flow *flow)
{
	__u16 family = BPF_CORE_READ(skc, skc_family);
	struct in6_addr remote;

	flow->sport = BPF_CORE_READ(skc, skc_num);
	flow->dport = bpf_ntohs(BPF_CORE_READ(skc, skc_dport));
	if (family == AF_INET6) {
		BPF_CORE_READ_INTO(&remote, skc, skc_v6_daddr);
		if (remote.in6_u.u6_addr32[0] == 0 && remote.in6_u.u6_addr32[1] == 0 &&
		    remote.in6_u.u6_addr32[2] == bpf_htonl(0xffff)) {
			*(__be32 *)flow->src = BPF_CORE_READ(skc, skc_rcv_saddr);
			*(__be32 *)flow->dst = BPF_CORE_READ(skc, skc_daddr);
			return AF_INET;
		}
		__builtin_memcpy(flow->dst, &remote, sizeof(flow->dst));
		BPF_CORE_READ_INTO((struct in6_addr *)flow->src, skc, skc_v6_rcv_saddr);
		return AF_INET6;
	}
	if (family != AF_INET)
		return 0;
	*(__be32 *)flow->src = BPF_CORE_READ(skc, skc_rcv_saddr);
	*(__be32 *)flow->dst = BPF_CORE_READ(skc, skc_daddr);
	return AF_INET;
}

static __always_inline void read_device(const struct net_device *dev, struct record_head *head)
{
	if (dev)
		BPF_CORE_READ_STR_INTO(&head->device, dev, name);
}

/* Identity and owner of a full socket. */
static __always_inline void read_full_sock(const struct sock *sk, struct record_head *head)
{
	head->sk = (__u64)sk;
	head->cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	head->uid = BPF_CORE_READ(sk, sk_uid.val);
	head->flags |= FLAG_HAS_UID;
	head->inode = socket_inode(sk);
	find_owner(sk, head->inode, &head->owner);
}

/* Identity, owner and state; of a request socket those of its listener, of a time-wait one only the state. */
static __always_inline void read_any_sock(const struct sock *sk, struct record_head *head)
{
	__u8 state = BPF_CORE_READ(sk, __sk_common.skc_state);
	const struct sock *full = sk;

	if (state == TCP_NEW_SYN_RECV)
		full = BPF_CORE_READ(sk, __sk_common.skc_listener);
	if (state != TCP_TIME_WAIT && full)
		read_full_sock(full, head);
	head->state = state;
	head->flags |= FLAG_HAS_STATE;
}

static __always_inline void fill_from_connection(const struct sock *sk, struct record_head *head)
{
	head->family = read_tuple(&sk->__sk_common, &head->flow);
	if (head->family)
		head->flags |= FLAG_HAS_FLOW | FLAG_HAS_PORTS;
	head->protocol = IPPROTO_TCP;
	read_any_sock(sk, head);
	/* tcp_set_state(TCP_CLOSE) gives the port back, skc_num with it, before tcp_close() sends its RST */
	if (head->state == TCP_CLOSE && head->flow.sport == 0)
		head->flow.sport = bpf_ntohs(BPF_CORE_READ((const struct inet_sock *)sk, inet_sport));
}

static __always_inline void flow_key_of(const struct sock *sk, bool listener, struct flow_key *key)
{
	struct flow flow = {};

	read_tuple(&sk->__sk_common, &flow);
	__builtin_memcpy(key->local, flow.src, sizeof(key->local));
	key->netns = netns_of(&sk->__sk_common);
	key->lport = flow.sport;
	if (listener)
		return;
	__builtin_memcpy(key->remote, flow.dst, sizeof(key->remote));
	key->rport = flow.dport;
}

static __always_inline void remember_flow(const struct sock *sk, bool listener, __u64 established)
{
	struct flow_key key = {};
	struct known_flow flow = { .sk = (__u64)sk, .established = established };

	flow_key_of(sk, listener, &key);
	bpf_map_update_elem(&flows, &key, &flow, BPF_ANY);
}

/* Of a socket whose beginning was not seen now, but maybe earlier. */
static __always_inline void remember_old_flow(const struct sock *sk, bool listener)
{
	struct flow_key key = {};
	struct known_flow flow = { .sk = (__u64)sk }, *known;

	flow_key_of(sk, listener, &key);
	known = bpf_map_lookup_elem(&flows, &key);
	if (!known || known->sk != flow.sk)
		bpf_map_update_elem(&flows, &key, &flow, BPF_ANY);
}

/* A socket that was noted for this key, if what lies at that address still is that socket. */
static __always_inline const struct sock *sock_of_key(const struct flow_key *key, bool listener)
{
	struct flow_key actual = {};
	struct known_flow *value = bpf_map_lookup_elem(&flows, key);
	const struct sock *sk;

	if (!value)
		return NULL;
	sk = (const struct sock *)value->sk;
	flow_key_of(sk, listener, &actual);
	for (int i = 0; i < (int)(sizeof(actual) / sizeof(__u64)); i++)
		if (((__u64 *)&actual)[i] != ((const __u64 *)key)[i])
			return NULL;
	return sk;
}

#endif
