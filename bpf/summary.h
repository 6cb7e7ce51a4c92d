/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Exact counts of what does not become a record: by key; where the map of keys is full without the connection; where
 * that is full too by kind. Nothing is ever evicted. User space begins a new generation, waits until no program can be
 * at work on the former one, reads it and deletes it (src/capture/summaries.ts).
 */
#ifndef LOSSLOG_SUMMARY_H
#define LOSSLOG_SUMMARY_H

#define E2BIG 7

static __always_inline void begin_summary_key(struct summary_key *key, __u8 kind, __u32 netns)
{
	key->generation = *(volatile __u64 *)&control.generation;
	key->cpu = bpf_get_smp_processor_id();
	key->kind = kind;
	key->netns = netns;
}

/* Atomic, since a softirq may interrupt a program on the same CPU. */
static __always_inline void add_to_summary(struct summary *summary, __u32 segments, __u32 bytes)
{
	__sync_fetch_and_add(&summary->events, 1);
	if (segments)
		__sync_fetch_and_add(&summary->segments, segments);
	if (bytes)
		__sync_fetch_and_add(&summary->bytes, bytes);
	summary->last_jiffies = bpf_jiffies64();
}

/*
 * Looking up a key in a map takes 40 ns, half of all the counting. So the first key of drops that a CPU counts in a generation has a place of
 * its own, where it is found by comparing it. Keys that find the place taken go into the map, as do those that meet another context
 * at work on it: the counts of a key may lie in both.
 */
static __always_inline struct hot_summary *hot_place(const struct summary_key *key)
{
	return &hot[key->cpu & (BOUND_CPUS - 1)][key->generation & (BOUND_HOT_GENERATIONS - 1)];
}

static __always_inline bool is_same_key(const struct summary_key *a, const struct summary_key *b)
{
	for (int i = 0; i < (int)(sizeof(*a) / sizeof(__u64)); i++)
		if (((const volatile __u64 *)a)[i] != ((const __u64 *)b)[i])
			return false;
	return true;
}

/* Whether the place now counts for this key, beginning with `one`. */
static __always_inline bool take_hot_place(const struct summary_key *key, const struct summary *one)
{
	struct hot_summary *place = hot_place(key);

	if (*(volatile __u64 *)&place->taken)
		return false;
	/* Two contexts that are here at once: a softirq ends before the task that it interrupts goes on, and at most one of them sees 1. */
	__sync_fetch_and_add(&place->taken, 1);
	if (*(volatile __u64 *)&place->taken != 1) {
		__sync_fetch_and_add(&place->taken, -1);
		return false;
	}
	place->counts = *one;
	/* Once it can be found the counts are there. */
	barrier();
	place->key = *key;
	return true;
}

static __always_inline void count_overflow(__u8 kind, const struct summary *one)
{
	struct overflow *overflow = &my_counters()->overflow[kind & 3];

	__sync_fetch_and_add(&overflow->events, 1);
	__sync_fetch_and_add(&overflow->segments, one->segments);
	__sync_fetch_and_add(&overflow->bytes, one->bytes);
}

/* Whether `one` was counted in `map`: as a new key, or in a key that another context made meanwhile. */
static __always_inline bool insert_summary(void *map, const struct summary_key *key, const struct summary *one, __u32 *full)
{
	struct summary *known;
	long error;

	/* the kernel looks for room on every CPU before it gives up: once a generation is enough */
	if (*(volatile __u32 *)full == key->generation + 1)
		return false;
	error = bpf_map_update_elem(map, key, one, BPF_NOEXIST);
	if (!error)
		return true;
	if (error == -E2BIG)
		*(volatile __u32 *)full = key->generation + 1;
	known = bpf_map_lookup_elem(map, key);
	if (!known)
		return false;
	add_to_summary(known, one->segments, one->bytes);
	return true;
}

/* `sk` is the connection that the key is about, NULL for none. The key is spent. */
static __noinline int count_new_key(struct summary_key *key, const struct sock *sk, __u32 segments, __u32 bytes)
{
	struct summary one = { .events = 1, .segments = segments, .bytes = bytes };
	struct summary *total;

	*(volatile __u32 *)&summary_state.used = key->generation + 1;
	if (key->kind != KIND_DROP)
		*(volatile __u32 *)&summary_state.connections = key->generation + 1;
	one.first_ns = bpf_ktime_get_boot_ns();
	one.first_jiffies = bpf_jiffies64();
	one.last_jiffies = one.first_jiffies;
	if (sk) {
		one.family = read_tuple(&sk->__sk_common, &one.flow);
		if (!is_mini_sock(BPF_CORE_READ(sk, __sk_common.skc_state)))
			one.inode = socket_inode(sk);
	}
	if (key->kind == KIND_DROP && take_hot_place(key, &one))
		return 0;
	if (insert_summary(&summaries, key, &one, &summary_state.full))
		return 0;
	__builtin_memset(&one.flow, 0, sizeof(one.flow));
	one.family = 0;
	one.inode = 0;
	key->cpu = 0;
	if (key->kind != KIND_DROP)
		key->place = 0;
	key->lport = 0;
	key->rport = 0;
	total = bpf_map_lookup_elem(&summary_totals, key);
	if (total)
		add_to_summary(total, segments, bytes);
	else if (!insert_summary(&summary_totals, key, &one, &summary_state.totals_full))
		count_overflow(key->kind, &one);
	return 0;
}

static __always_inline void count_event(struct summary_key *key, const struct sock *sk, __u32 segments, __u32 bytes)
{
	struct hot_summary *place = hot_place(key);
	struct summary *known;

	if (key->kind == KIND_DROP && is_same_key(&place->key, key)) {
		add_to_summary(&place->counts, segments, bytes);
		return;
	}
	known = bpf_map_lookup_elem(&summaries, key);
	if (known)
		add_to_summary(known, segments, bytes);
	else
		count_new_key(key, sk, segments, bytes);
}

/* An event of a connection; `sk` may be NULL, or for a request that has no connection yet its listener. */
static __always_inline void count_connection(struct summary_key *key, const struct sock *sk, __u32 segments, __u32 bytes)
{
	key->place = (__u64)sk;
	if (sk) {
		key->lport = BPF_CORE_READ(sk, __sk_common.skc_num);
		key->rport = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	}
	count_event(key, sk, segments, bytes);
}

#endif
