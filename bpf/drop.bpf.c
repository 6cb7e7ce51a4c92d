/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Dropped packets: net/core/skbuff.c, kfree_skb_reason() and sk_skb_reason_drop(). */

static __always_inline const struct dst_entry *dst_of(const struct sk_buff *skb)
{
	return (const struct dst_entry *)(skb->_skb_refdst & SKB_DST_PTRMASK);
}

/*
 * skb->dev, unless something else lies there: the field shares its place with rbnode (TCP queues) and dev_scratch (UDP
 * queues). A real device leads to a namespace with a possible inode.
 */
static __always_inline const struct net_device *device_of(const struct sk_buff *skb, __u32 *netns)
{
	const struct net_device *dev = skb->dev;

	*netns = dev ? dev->nd_net.net->ns.inum : 0;
	if (*netns >= NETNS_INODE_FLOOR && dev->ifindex > 0)
		return dev;
	*netns = 0;
	return NULL;
}

/* Where it was dropped: the namespace of the device; without a device that of the socket, then that of the route. */
static __always_inline __u32 drop_netns(const struct sk_buff *skb, const struct sock *sk, __u32 device_netns)
{
	const struct dst_entry *dst;

	if (device_netns)
		return device_netns;
	if (sk)
		return netns_of(&sk->__sk_common);
	dst = dst_of(skb);
	return dst ? BPF_CORE_READ(dst, dev, nd_net.net, ns.inum) : 0;
}

/*
 * On its way in but not yet marked as received: in the driver, GRO or the backlog queue (enqueue_to_backlog()). There
 * eth_type_trans() has pulled the Ethernet header; on its way out it is not there yet or the packet begins with it.
 */
static __always_inline bool is_arriving(const struct sk_buff *skb)
{
	__u16 mac = skb->mac_header;

	return mac != 0xffff && skb->head + mac + ETH_HLEN == skb->data;
}

static __always_inline __u8 direction_of(const struct sk_buff *skb, const struct sock *rx_sk, const struct net_device *dev)
{
	int iif = skb->skb_iif;
	const struct dst_entry *dst = dst_of(skb);
	__u64 input = 0;

	if (rx_sk)
		return DIRECTION_RX;
	/* __netif_receive_skb_core() sets skb_iif; skb_scrub_packet() clears it when a packet changes namespaces */
	if (!iif)
		return is_arriving(skb) ? DIRECTION_RX : DIRECTION_TX;
	if (dst)
		input = (__u64)BPF_CORE_READ(dst, input);
	if (input && (input == ip_forward_address || input == ip6_forward_address))
		return DIRECTION_FORWARD;
	/* bridged: the device is already the outgoing port */
	if (dev && dev->ifindex != iif)
		return DIRECTION_FORWARD;
	return DIRECTION_RX;
}

/* The socket that a packet without one belongs to, looked up by its tuple. */
static __always_inline const struct sock *sock_of_packet(const struct record_head *head)
{
	struct flow_key key = { .netns = head->netns };
	const struct sock *sk;
	bool sent = head->direction == DIRECTION_TX;

	__builtin_memcpy(key.local, sent ? head->flow.src : head->flow.dst, sizeof(key.local));
	__builtin_memcpy(key.remote, sent ? head->flow.dst : head->flow.src, sizeof(key.remote));
	key.lport = sent ? head->flow.sport : head->flow.dport;
	key.rport = sent ? head->flow.dport : head->flow.sport;
	sk = sock_of_key(&key, false);
	if (sk || sent)
		return sk;
	__builtin_memset(key.remote, 0, sizeof(key.remote));
	key.rport = 0;
	sk = sock_of_key(&key, true);
	if (sk)
		return sk;
	__builtin_memset(key.local, 0, sizeof(key.local));
	return sock_of_key(&key, true);
}

/* For a skb without readable headers: those of the connected socket, turned in the direction of the packet. */
static __always_inline void tuple_from_sock(const struct sock *sk, struct record_head *head)
{
	struct flow local = {};
	__u8 family = read_tuple(&sk->__sk_common, &local);

	if (!family)
		return;
	head->family = family;
	head->flags |= FLAG_HAS_FLOW | FLAG_HAS_PORTS;
	if (head->direction == DIRECTION_TX) {
		__builtin_memcpy(&head->flow, &local, sizeof(local));
		return;
	}
	__builtin_memcpy(head->flow.src, local.dst, sizeof(local.dst));
	__builtin_memcpy(head->flow.dst, local.src, sizeof(local.src));
	head->flow.sport = local.dport;
	head->flow.dport = local.sport;
}

/* What the class of a drop depends on besides its reason and place, where it does (src/wire/drop-rules.ts). */
static __always_inline void read_facts(const struct sk_buff *skb, struct summary_key *key)
{
	struct drop_record packet = {};
	struct headers headers;
	struct flow *flow = &packet.head.flow;

	packet.length = skb->len;
	if (!read_packet(skb, &packet, &headers))
		return;
	key->facts |= FACT_FLOW;
	key->protocol = packet.head.protocol;
	if (packet.head.family == AF_INET6 ? flow->dst[0] == 0xff :
	    (flow->dst[0] & 0xf0) == 0xe0 || *(__u32 *)flow->dst == 0xffffffff)
		key->facts |= FACT_GROUP;
	if (!(packet.head.flags & FLAG_HAS_SEQ))
		return;
	key->facts |= FACT_TCP;
	key->facts |= packet.tcp_flags & TCP_FLAG_SYN ? FACT_SYN : 0;
	key->facts |= packet.tcp_flags & TCP_FLAG_RST ? FACT_RST : 0;
	if (packet.end_seq - packet.seq - (packet.tcp_flags & 1) - ((packet.tcp_flags >> 1) & 1))
		key->facts |= FACT_DATA;
}

static __always_inline bool needs_headers(__u64 reason)
{
	if (reason >= BOUND_HEADER_REASONS)
		return false;
	/* in assembler, since clang would drop the mask for a bound that the verifier does not see */
	asm volatile("%0 &= %1" : "+r"(reason) : "i"(BOUND_HEADER_REASONS - 1));
	return reason_needs_headers[reason];
}

static __always_inline void count_drop(const __u64 *ctx, const struct sk_buff *skb, const struct sock *rx_sk,
				       const struct net_device *dev, __u32 netns)
{
	struct summary_key key = {};

	begin_summary_key(&key, KIND_DROP, netns);
	key.place = ctx[1];
	key.ethertype = bpf_ntohs(skb->protocol);
	key.direction = direction_of(skb, rx_sk, dev);
	if (dev)
		key.facts |= FACT_DEVICE;
	if (kfree_skb_has_reason) {
		key.reason = (__u32)ctx[2];
		key.facts |= FACT_REASON;
	}
	if (needs_headers(key.reason))
		read_facts(skb, &key);
	count_event(&key, NULL, 0, skb->len);
}

/* Drops that share the limit of a key: those of one reason at one place in one namespace. */
static __always_inline __u64 drop_key(const __u64 *ctx, __u32 netns)
{
	return ctx[1] ^ spread(netns) ^ (kfree_skb_has_reason ? ctx[2] << 32 : 0);
}

PROBE(kfree_skb, PROBE_KFREE_SKB, ctx[0])
{
	const struct sk_buff *skb = (const struct sk_buff *)ctx[0];
	const struct sock *rx_sk = NULL, *sk;
	const struct net_device *dev;
	struct drop_record *record;
	struct headers headers;
	__u32 netns, device_netns;
	__u64 extra;

	if (kfree_skb_has_rx_sk)
		rx_sk = (const struct sock *)ctx[3];
	sk = rx_sk ? rx_sk : skb->sk;
	dev = device_of(skb, &device_netns);
	netns = drop_netns(skb, sk, device_netns);
	if (!netns_wanted(netns))
		return;
	record = NULL;
	extra = 0;
	if (is_admitted(LANE_DROP, drop_key(ctx, netns))) {
		extra = packet_bytes();
		record = begin_record(&drop_ring, sizeof(*record), extra, KIND_DROP, netns);
	}
	if (!record) {
		count_drop(ctx, skb, rx_sk, dev, netns);
		return;
	}
	record->location = ctx[1];
	record->length = skb->len;
	if (kfree_skb_has_reason) {
		record->reason = (__u32)ctx[2];
		record->head.flags |= FLAG_HAS_REASON;
	}
	record->head.direction = direction_of(skb, rx_sk, dev);
	/* ip_output() sets skb->dev, which is after the firewall's OUTPUT */
	if (!dev && record->head.direction == DIRECTION_TX && dst_of(skb))
		dev = BPF_CORE_READ(dst_of(skb), dev);
	read_device(dev, &record->head);
	if (sk && !is_inet(sk))
		sk = NULL;
	/* until ip_rcv_core() orphans it, a packet that came over a veth still has the socket that sent it */
	if (sk && !rx_sk && record->head.direction == DIRECTION_RX && netns_of(&sk->__sk_common) != netns)
		sk = NULL;
	if (!read_packet(skb, record, &headers) && sk && !is_mini_sock(BPF_CORE_READ(sk, __sk_common.skc_state))) {
		tuple_from_sock(sk, &record->head);
		record->head.protocol = BPF_CORE_READ(sk, sk_protocol);
	}
	if (record->head.flags & FLAG_HAS_PORTS)
		read_nat(skb, record);
	if (extra)
		capture_packet(skb, record, &headers);
	if (!sk && record->head.protocol == IPPROTO_TCP && record->head.direction != DIRECTION_FORWARD)
		sk = sock_of_packet(&record->head);
	if (sk)
		read_any_sock(sk, &record->head);
	submit_record(&record->head);
}
