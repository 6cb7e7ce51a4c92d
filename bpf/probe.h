/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Probes that miss nothing when they are interrupted.
 *
 * The kernel skips a program that is already running on the same CPU (__bpf_trace_run(), prog->active). That happens: TCP
 * resends in process context with softirqs on, and a softirq in that moment resends for another connection; at 1 % loss
 * it was one retransmission in some thousand, and no record and no counter of ours would tell. So each
 * tracepoint has its handler in two programs. The first handles the event and notes that it did; the second, which runs
 * right after it, handles the event only when the first was skipped. Contexts nest two deep at most (a softirq over a
 * task), so one of the two always runs; the difference of the kernel's `recursion_misses` of the first and our `rescued`
 * would show an event that neither saw.
 *
 * A softirq may come in anywhere, also when the second program has begun but not yet looked: then the second program is skipped for
 * all events of the softirq, and what the first noted of them is not taken back. It must not push out what was noted for the task: that
 * event would be handled twice (seen as one of some 10,000 on saturated cores). So a context replaces its own note and leaves the outer
 * one alone. Contexts are told apart by their stacks, on which `ctx` lies: softirqs have one of their own.
 */
#ifndef LOSSLOG_PROBE_H
#define LOSSLOG_PROBE_H

/* Stacks are aligned to their size, of which this is the least (THREAD_SIZE of x86-64 and arm64, and that of IRQs). */
#define STACK_SHIFT 14

static __always_inline struct handled_events *handled_by_first(__u8 probe)
{
	return &counters[bpf_get_smp_processor_id() & (BOUND_CPUS - 1)].handled[probe];
}

/* `event` is the address of what the event is about. */
static __always_inline void note_handled(__u8 probe, __u64 event, void *ctx)
{
	struct handled_events *handled = handled_by_first(probe);
	__u64 stack;

	/* Through memory: to the verifier ctx is a pointer, with which it allows no arithmetic. */
	*(volatile __u64 *)&handled->stack = (__u64)ctx;
	stack = *(volatile __u64 *)&handled->stack >> STACK_SHIFT;
	if (handled->inner.stack != stack)
		handled->outer = handled->inner;
	handled->inner.event = event;
	handled->inner.stack = stack;
}

static __always_inline bool was_handled(__u8 probe, __u64 event)
{
	struct handled_events *handled = handled_by_first(probe);

	if (handled->inner.event == event)
		handled->inner = handled->outer;
	else if (handled->outer.event == event)
		handled->inner.event = 0;
	else
		return false;
	handled->outer.event = 0;
	return true;
}

/* Begins the handler of a tracepoint; `about` is the argument that tells its events apart, and never NULL. */
#define PROBE(tracepoint, probe, about)                                                  \
	static __always_inline void handle_##tracepoint(__u64 *ctx);                      \
                                                                                         \
	SEC("?tp_btf/" #tracepoint)                                                       \
	int on_##tracepoint(__u64 *ctx)                                                   \
	{                                                                                 \
		handle_##tracepoint(ctx);                                                 \
		note_handled(probe, (__u64)(about), ctx);                                 \
		return 0;                                                                 \
	}                                                                                 \
                                                                                         \
	SEC("?tp_btf/" #tracepoint)                                                       \
	int rescue_##tracepoint(__u64 *ctx)                                               \
	{                                                                                 \
		if (was_handled(probe, (__u64)(about)))                                   \
			return 0;                                                         \
		__sync_fetch_and_add(&my_counters()->rescued[probe], 1);                  \
		handle_##tracepoint(ctx);                                                 \
		return 0;                                                                 \
	}                                                                                 \
                                                                                         \
	static __always_inline void handle_##tracepoint(__u64 *ctx)

#endif
