// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Counts calls of tcp_retransmit_skb() by a trampoline: only to see whether a kernel has them. losslog itself uses tracepoints. */

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

const volatile unsigned int step = 1;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, unsigned int);
	__type(value, unsigned long long);
} calls SEC(".maps");

SEC("fentry/tcp_retransmit_skb")
int on_retransmit(void *context)
{
	unsigned int key = 0;
	unsigned long long *count = bpf_map_lookup_elem(&calls, &key);

	if (count)
		__sync_fetch_and_add(count, step);
	return 0;
}

char _license[] SEC("license") = "GPL";
