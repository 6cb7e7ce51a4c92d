/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * How connections went that resent something: at their end, and now and then while they live. All is in the socket
 * already: nothing is counted here.
 */

/* Whether this kernel has the field is asked of its BTF. */
#define READ_KNOWN(record, bit, member, tp, field)                       \
	do {                                                             \
		if (bpf_core_field_exists((tp)->field)) {                \
			(record)->member = BPF_CORE_READ(tp, field);     \
			(record)->known |= (bit);                        \
		}                                                        \
	} while (0)

static __always_inline void read_connection(const struct sock *sk, struct connection_record *record)
{
	const struct tcp_sock *tp = (const struct tcp_sock *)sk;

	record->retransmitted = BPF_CORE_READ(tp, total_retrans);
	record->srtt_us = BPF_CORE_READ(tp, srtt_us) >> 3;
	record->error = BPF_CORE_READ(sk, sk_err);
	READ_KNOWN(record, KNOWN_SEGMENTS, segments, tp, data_segs_out);
	READ_KNOWN(record, KNOWN_BYTES, bytes, tp, bytes_sent);
	READ_KNOWN(record, KNOWN_BYTES_RETRANSMITTED, bytes_retransmitted, tp, bytes_retrans);
	READ_KNOWN(record, KNOWN_SPURIOUS, spurious, tp, dsack_dups);
	READ_KNOWN(record, KNOWN_REORDERED, reordered, tp, reord_seen);
	READ_KNOWN(record, KNOWN_TIMEOUTS, timeouts, tp, total_rto);
	READ_KNOWN(record, KNOWN_MIN_RTT, min_rtt_us, tp, rtt_min.s[0].v);
}

/* When the connection was established, in jiffies; 0 when that was before the recorder, never, or is forgotten. */
static __always_inline __u64 established_at(const struct sock *sk, const struct record_head *head)
{
	struct flow_key key = {};
	struct known_flow *known;

	__builtin_memcpy(key.local, head->flow.src, sizeof(key.local));
	__builtin_memcpy(key.remote, head->flow.dst, sizeof(key.remote));
	key.netns = head->netns;
	key.lport = head->flow.sport;
	key.rport = head->flow.dport;
	known = bpf_map_lookup_elem(&flows, &key);
	return known && known->sk == (__u64)sk ? known->established : 0;
}

static __always_inline void report_connection(const struct sock *sk, __u32 netns, bool is_end)
{
	struct connection_record *record;
	__u64 established;

	if (!is_admitted(LANE_CONNECTION, connection_key(sk, netns))) {
		__sync_fetch_and_add(&my_counters()->no_room[KIND_CONNECTION], 1);
		return;
	}
	record = begin_record(&connection_ring, sizeof(*record), 0, KIND_CONNECTION, netns);
	if (!record)
		return;
	fill_from_connection(sk, &record->head);
	if (is_end && record->head.flow.sport == 0)
		record->head.flow.sport = bpf_ntohs(BPF_CORE_READ((const struct inet_sock *)sk, inet_sport));
	if (has_socket_cookie)
		record->head.cookie = bpf_get_socket_cookie((struct sock *)sk);
	read_device(BPF_CORE_READ(sk, sk_dst_cache, dev), &record->head);
	read_connection(sk, record);
	established = established_at(sk, &record->head);
	if (established) {
		record->age_jiffies = bpf_jiffies64() - established;
		record->known |= KNOWN_AGE;
	}
	record->is_end = is_end;
	submit_record(&record->head);
}

/* At a retransmission. The first only begins the time. */
static __always_inline void report_living(const struct sock *sk, __u32 netns)
{
	__u64 key = (__u64)sk, now = bpf_jiffies64();
	__u64 *reported = bpf_map_lookup_elem(&living, &key);

	if (!reported) {
		bpf_map_update_elem(&living, &key, &now, BPF_ANY);
		return;
	}
	if (now - *reported < living_interval)
		return;
	*reported = now;
	report_connection(sk, netns, false);
}

/*
 * At the change to TCP_CLOSE, while the socket still has its former state. Also a socket that a time-wait one takes over
 * from (tcp_time_wait(), net/ipv4/tcp_minisocks.c) goes to TCP_CLOSE at that moment: it sends no data any more.
 */
static __always_inline void report_ended(const struct sock *sk, __u32 netns)
{
	__u64 key = (__u64)sk;

	if (!BPF_CORE_READ((const struct tcp_sock *)sk, total_retrans))
		return;
	report_connection(sk, netns, true);
	bpf_map_delete_elem(&living, &key);
}
