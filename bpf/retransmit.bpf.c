/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* TCP retransmissions: net/ipv4/tcp_output.c, __tcp_retransmit_skb() and tcp_rtx_synack(). */

static __always_inline void read_tcp(const struct sock *sk, struct retransmit_record *record)
{
	const struct tcp_sock *tp = (const struct tcp_sock *)sk;
	const struct inet_connection_sock *icsk = (const struct inet_connection_sock *)sk;
	__u32 packets_out = BPF_CORE_READ(tp, packets_out);

	record->srtt_us = BPF_CORE_READ(tp, srtt_us) >> 3;
	record->cwnd = BPF_CORE_READ(tp, snd_cwnd);
	record->ssthresh = BPF_CORE_READ(tp, snd_ssthresh);
	record->total_retransmits = BPF_CORE_READ(tp, total_retrans);
	/* tcp_packets_in_flight() */
	record->in_flight = packets_out - (BPF_CORE_READ(tp, sacked_out) + BPF_CORE_READ(tp, lost_out)) +
			    BPF_CORE_READ(tp, retrans_out);
	record->rto_jiffies = BPF_CORE_READ(icsk, icsk_rto);
	record->ca_state = BPF_CORE_READ_BITFIELD_PROBED(icsk, icsk_ca_state);
	record->pending = BPF_CORE_READ(icsk, icsk_pending);
	record->retransmits = BPF_CORE_READ(icsk, icsk_retransmits);
	record->ack = BPF_CORE_READ(tp, rcv_nxt);
	/* tcp_mstamp_refresh(): microseconds of the monotonic clock, taken when the acknowledgement or the timer came */
	record->spent_us = bpf_ktime_get_ns() / 1000 - BPF_CORE_READ(tp, tcp_mstamp) + 1;
}

static __always_inline void count_retransmission(const __u64 *ctx, struct sock *sk, const struct sk_buff *skb, __u32 netns)
{
	const struct inet_connection_sock *icsk = (const struct inet_connection_sock *)sk;
	const struct tcp_skb_cb *cb = (const struct tcp_skb_cb *)&skb->cb;
	struct summary_key key = {};

	begin_summary_key(&key, KIND_RETRANSMIT, netns);
	if (retransmit_has_err) {
		key.reason = (__u32)ctx[2];
		key.facts = FACT_REASON;
	}
	key.state = BPF_CORE_READ(sk, __sk_common.skc_state);
	key.ca_state = BPF_CORE_READ_BITFIELD_PROBED(icsk, icsk_ca_state);
	key.pending = BPF_CORE_READ(icsk, icsk_pending);
	count_connection(&key, sk, BPF_CORE_READ(cb, tcp_gso_segs), BPF_CORE_READ(skb, len));
}

PROBE(tcp_retransmit_skb, PROBE_TCP_RETRANSMIT_SKB, ctx[1])
{
	struct sock *sk = (struct sock *)ctx[0];
	const struct sk_buff *skb = (const struct sk_buff *)ctx[1];
	const struct tcp_skb_cb *cb;
	struct retransmit_record *record = NULL;
	__u32 netns = netns_of(&sk->__sk_common);

	if (!netns_wanted(netns))
		return;
	report_living(sk, netns);
	if (is_admitted(LANE_CONNECTION, connection_key(sk, netns)))
		record = begin_record(&connection_ring, sizeof(*record), 0, KIND_RETRANSMIT, netns);
	if (!record) {
		count_retransmission(ctx, sk, skb, netns);
		return;
	}
	fill_from_connection(sk, &record->head);
	if (has_socket_cookie)
		record->head.cookie = bpf_get_socket_cookie(sk);
	read_device(BPF_CORE_READ(sk, sk_dst_cache, dev), &record->head);
	read_tcp(sk, record);
	/* A skb on the retransmit queue has no TCP header yet: all is in its control block (TCP_SKB_CB). */
	cb = (const struct tcp_skb_cb *)&skb->cb;
	record->seq = BPF_CORE_READ(cb, seq);
	record->end_seq = BPF_CORE_READ(cb, end_seq);
	record->segments = BPF_CORE_READ(cb, tcp_gso_segs);
	record->bytes = BPF_CORE_READ(skb, len);
	if (retransmit_has_err) {
		record->err = (__s32)ctx[2];
		record->head.flags |= FLAG_HAS_ERR;
	}
	/* SYN retransmissions come here before the flow is established: the answer's drop then finds its owner. */
	if (record->head.state == TCP_SYN_SENT)
		remember_flow(sk, false, 0);
	submit_record(&record->head);
}

PROBE(tcp_retransmit_synack, PROBE_TCP_RETRANSMIT_SYNACK, ctx[1])
{
	const struct request_sock *request = (const struct request_sock *)ctx[1];
	struct retransmit_record *record = NULL;
	__u32 netns = netns_of(&request->__req_common);
	const struct sock *listener;

	if (!netns_wanted(netns))
		return;
	/* all that wait at one listener share its limit: in a flood of SYNs each is another request */
	listener = BPF_CORE_READ(request, __req_common.skc_listener);
	if (is_admitted(LANE_CONNECTION, connection_key(listener, netns)))
		record = begin_record(&connection_ring, sizeof(*record), 0, KIND_SYNACK, netns);
	if (!record) {
		struct summary_key key = {};

		begin_summary_key(&key, KIND_SYNACK, netns);
		count_connection(&key, listener, 1, 0);
		return;
	}
	fill_from_connection((const struct sock *)request, &record->head);
	record->seq = BPF_CORE_READ((const struct tcp_request_sock *)request, snt_isn);
	record->end_seq = record->seq + 1;
	record->segments = 1;
	record->retransmits = BPF_CORE_READ(request, num_retrans);
	submit_record(&record->head);
}
