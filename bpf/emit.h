/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Room in a ring, counted exactly. Atomic, since a softirq may interrupt a program on the same CPU. */
#ifndef LOSSLOG_EMIT_H
#define LOSSLOG_EMIT_H

static __always_inline struct cpu_counters *my_counters(void)
{
	return &counters[bpf_get_smp_processor_id() & (BOUND_CPUS - 1)];
}

/*
 * Zeroed room for a record with its head begun, or NULL when the ring is full: then the caller counts the event. `extra`
 * bytes behind it are not zeroed; the verifier must know their number.
 */
static __always_inline void *begin_record(void *ring, __u64 size, __u64 extra, __u8 kind, __u32 netns)
{
	struct record_head *head = bpf_ringbuf_reserve(ring, size + extra, 0);

	if (!head) {
		__sync_fetch_and_add(&my_counters()->no_room[kind], 1);
		return NULL;
	}
	__builtin_memset(head, 0, size);
	head->boot_ns = bpf_ktime_get_boot_ns();
	head->kind = kind;
	head->netns = netns;
	return head;
}

static __always_inline void submit_record(struct record_head *head)
{
	__u8 kind = head->kind;

	bpf_ringbuf_submit(head, 0);
	if (kind < KIND_COUNT)
		__sync_fetch_and_add(&my_counters()->recorded[kind], 1);
}

#endif
