/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Every map and every knob of the kernel side. Sizes are set by user space before the load. */
#ifndef LOSSLOG_MAPS_H
#define LOSSLOG_MAPS_H

/* Read-only configuration, written before the load; the verifier removes what it makes dead. */

/* How many namespaces are recorded, 0: all; the first of them. The others are in `netns_filter`: asking it takes 16 ns more. */
const volatile __u32 netns_count;
const volatile __u32 netns_first[BOUND_FIRST_NETNS];
/* Arguments that this kernel's tracepoints have (asked of BTF, not of the version). */
const volatile bool retransmit_has_err;
const volatile bool kfree_skb_has_reason;
const volatile bool kfree_skb_has_rx_sk;
const volatile bool send_reset_has_reason;
/* bpf_get_socket_cookie() for tracing programs: 5.12, or a backport. */
const volatile bool has_socket_cookie;
/*
 * Where in struct nf_conn the status and the two tuples lie, 0 when this kernel has none. Not relocated by libbpf: the type
 * may be of a module, whose BTF libbpf 1.1 reads with CAP_SYS_ADMIN only, and gives up the whole load without.
 */
const volatile __u32 conntrack_status;
const volatile __u32 conntrack_original;
const volatile __u32 conntrack_reply;
/* Addresses of ip_forward() and ip6_forward(), 0 when kallsyms hides them. */
const volatile __u64 ip_forward_address;
const volatile __u64 ip6_forward_address;

/* Room for the first bytes of a dropped packet, behind its record; 0: none are captured. */
const volatile __u64 packet_room;
/* Capture its headers only, and nothing of what it carries. */
const volatile bool packet_headers_only;

/* Jiffies between two reports of a connection that lives and goes on resending. */
const volatile __u64 living_interval;

/* By enum losslog_lane: of all its records, and of those that share a key. */
const volatile struct limit limit_total[LANE_COUNT];
const volatile struct limit limit_key[LANE_COUNT];
/* By drop reason, 0 where the kernel gives none: whether the class of a drop depends on its headers. */
const volatile bool reason_needs_headers[BOUND_HEADER_REASONS];

/* In .bss, so that user space reads them by a memory mapping without a system call. */
struct cpu_counters counters[BOUND_CPUS];
struct control control;
struct summary_state summary_state;
struct hot_summary hot[BOUND_CPUS][BOUND_HOT_GENERATIONS];

/* When the next record is due, by lane; of keys by a hash, so that two may share a place. Not atomic: see limit.h. */
#define LIMIT_PLACES 1024
__u64 due_total[LANE_COUNT][8];
__u64 due_key[LANE_COUNT][LIMIT_PLACES];

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u8);
} netns_filter SEC(".maps");

/* Retransmissions and resets. Apart from drops, so that a storm of these cannot evict them. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} connection_ring SEC(".maps");

#define DROP_RING_BYTES (4 * 1024 * 1024)
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, DROP_RING_BYTES);
} drop_ring SEC(".maps");

/* What is only counted (bpf/summary.h). */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, struct summary_key);
	__type(value, struct summary);
} summaries SEC(".maps");

/* For keys that did not fit: connections are not told apart. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct summary_key);
	__type(value, struct summary);
} summary_totals SEC(".maps");

/* struct sock address → the process that was seen in a system call on it (docs/design/owner.md). */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct noted_owner);
} owners SEC(".maps");

/* A TCP socket by what arrives for it. `remote` and `rport` are zero for a listener, `local` for the wildcard. */
struct flow_key {
	__u8 local[16];
	__u8 remote[16];
	__u32 netns;
	__u16 lport;
	__u16 rport;
} __attribute__((aligned(8)));

/* A hint, checked against the socket itself before use. */
struct known_flow {
	/* struct sock address */
	__u64 sk;
	/* When the connection was established, in jiffies; 0: not seen. */
	__u64 established;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct flow_key);
	__type(value, struct known_flow);
} flows SEC(".maps");

/* struct sock address of a connection that resent something → when it was last reported, in jiffies. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, __u64);
} living SEC(".maps");

/* Paths outlive the cgroup, so that a container that is gone still has its name. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct cgroup_key);
	__type(value, struct cgroup_path);
} cgroup_paths SEC(".maps");

/* Room to build a path in: it does not fit the 512 bytes of stack. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cgroup_path);
} cgroup_scratch SEC(".maps");

#endif
