/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Resets: net/ipv4/tcp_ipv4.c tcp_v4_send_reset() and its IPv6 twin, tcp_send_active_reset(), tcp_reset(). */

/* A RST that answers a packet of no connection: the tuple of that packet, turned round. */
static __always_inline void fill_from_answered(const struct sk_buff *skb, struct reset_record *record)
{
	/* the parser writes a drop record; its head is what is wanted */
	struct drop_record packet = {};
	struct headers headers;
	struct flow *flow = &record->head.flow;

	packet.length = BPF_CORE_READ(skb, len);
	if (!read_packet(skb, &packet, &headers))
		return;
	record->head.family = packet.head.family;
	record->head.protocol = packet.head.protocol;
	record->head.flags |= packet.head.flags & (FLAG_HAS_FLOW | FLAG_HAS_PORTS);
	__builtin_memcpy(flow->src, packet.head.flow.dst, sizeof(flow->src));
	__builtin_memcpy(flow->dst, packet.head.flow.src, sizeof(flow->dst));
	flow->sport = packet.head.flow.dport;
	flow->dport = packet.head.flow.sport;
}

/* Room for the record of a reset; NULL when it was only counted. */
static __always_inline struct reset_record *begin_reset(const struct sock *sk, __u8 direction, bool has_reason, __u32 reason,
							__u32 netns)
{
	struct reset_record *record = NULL;
	struct summary_key key = {};

	/* of no connection: those of one namespace share a limit */
	if (is_admitted(LANE_CONNECTION, sk ? connection_key(sk, netns) : netns))
		record = begin_record(&connection_ring, sizeof(*record), 0, KIND_RESET, netns);
	if (record) {
		record->head.direction = direction;
		record->reason = reason;
		if (has_reason)
			record->head.flags |= FLAG_HAS_REASON;
		return record;
	}
	begin_summary_key(&key, KIND_RESET, netns);
	key.direction = direction;
	key.reason = reason;
	if (has_reason)
		key.facts |= FACT_REASON;
	count_connection(&key, sk, 0, 0);
	return NULL;
}

PROBE(tcp_send_reset, PROBE_TCP_SEND_RESET, ctx[0] ? ctx[0] : ctx[1])
{
	const struct sock *sk = (const struct sock *)ctx[0];
	const struct sk_buff *skb = (const struct sk_buff *)ctx[1];
	const struct net_device *dev = NULL;
	struct reset_record *record;
	__u32 netns = 0, reason = 0;

	/* skb is the packet that is answered; NULL when the RST ends a connection of its own accord */
	if (skb)
		dev = device_of(skb, &netns);
	if (sk)
		netns = netns_of(&sk->__sk_common);
	else if (!netns && skb)
		netns = drop_netns(skb, NULL, 0);
	if (!netns_wanted(netns))
		return;
	if (send_reset_has_reason)
		reason = (__u32)ctx[2];
	record = begin_reset(sk, DIRECTION_TX, send_reset_has_reason, reason, netns);
	if (!record)
		return;
	if (sk)
		fill_from_connection(sk, &record->head);
	/* tcp_check_req() and tcp_rcv_state_process() answer for a connection that is not there with its listener */
	if (skb && (!sk || record->head.state == TCP_LISTEN))
		fill_from_answered(skb, record);
	if (!dev && sk && !is_mini_sock(record->head.state))
		dev = BPF_CORE_READ(sk, sk_dst_cache, dev);
	read_device(dev, &record->head);
	submit_record(&record->head);
}

PROBE(tcp_receive_reset, PROBE_TCP_RECEIVE_RESET, ctx[0])
{
	struct sock *sk = (struct sock *)ctx[0];
	struct reset_record *record;
	__u32 netns = netns_of(&sk->__sk_common);

	if (!netns_wanted(netns))
		return;
	record = begin_reset(sk, DIRECTION_RX, false, 0, netns);
	if (!record)
		return;
	fill_from_connection(sk, &record->head);
	read_device(BPF_CORE_READ(sk, sk_dst_cache, dev), &record->head);
	submit_record(&record->head);
}
