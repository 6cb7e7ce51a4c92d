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
 */
#ifndef LOSSLOG_PROBE_H
#define LOSSLOG_PROBE_H

static __always_inline struct handled_event *handled_by_first(__u8 probe)
{
	return &counters[bpf_get_smp_processor_id() & (BOUND_CPUS - 1)].handled[probe];
}

/* `event` is the address of what the event is about; `outer` that of an event of the task which a softirq interrupted. */
static __always_inline void note_handled(__u8 probe, __u64 event)
{
	struct handled_event *handled = handled_by_first(probe);

	handled->outer = handled->event;
	handled->event = event;
}

static __always_inline bool was_handled(__u8 probe, __u64 event)
{
	struct handled_event *handled = handled_by_first(probe);

	if (handled->event != event)
		return false;
	handled->event = handled->outer;
	handled->outer = 0;
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
		note_handled(probe, (__u64)(about));                                      \
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
