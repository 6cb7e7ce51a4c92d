/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The only structs shared with user space. src/wire/layout.ts is generated from their BTF in the compiled object
 * (npm run generate); nothing is kept in sync by hand.
 *
 * Ports and sequence numbers are in host byte order, addresses in network byte order (IPv4 in the first 4 bytes).
 * A zero means "not known" unless a flag or an enum says otherwise.
 */
#ifndef LOSSLOG_RECORD_H
#define LOSSLOG_RECORD_H

enum losslog_kind {
	KIND_RETRANSMIT,
	KIND_SYNACK,
	KIND_DROP,
	KIND_RESET,
	KIND_CONNECTION,
	KIND_COUNT,
};

/* How the kernel side found the owner; OWNER_UNKNOWN leaves it to the socket inode. */
enum losslog_owner_how {
	OWNER_UNKNOWN,
	OWNER_SYSCALL,
	OWNER_CONNECT,
	OWNER_LISTEN,
	OWNER_CLOSE,
};

enum losslog_flag {
	FLAG_HAS_UID = 1,
	FLAG_HAS_FLOW = 2,
	FLAG_HAS_PORTS = 4,
	FLAG_HAS_SEQ = 8,
	FLAG_HAS_REASON = 16,
	FLAG_HAS_ERR = 32,
	FLAG_HAS_STATE = 64,
	/* Of a drop: addresses of the connection are translated. */
	FLAG_HAS_NAT = 128,
};

enum losslog_direction {
	DIRECTION_UNKNOWN,
	DIRECTION_RX,
	DIRECTION_TX,
	DIRECTION_FORWARD,
};

struct flow {
	__u8 src[16];
	__u8 dst[16];
	__u16 sport;
	__u16 dport;
};

/* A process, and the cgroup it was in: the v2 one, or where v2 knows only the root, that of a v1 hierarchy. */
struct owner {
	__u64 cgroup_id;
	__u32 pid;
	/* 0: the v2 hierarchy. Else 1 + the subsystem id of the v1 hierarchy. */
	__u8 cgroup_hierarchy;
	__u8 how;
	char comm[16];
};

/* An owner that was noted ahead of any loss, and of which socket it was: an address may be of another by then. */
struct noted_owner {
	__u64 inode;
	struct owner owner;
};

/* What every record begins with. */
struct record_head {
	__u64 boot_ns;
	/* Address of the struct sock: an identity while the socket lives, no pointer to user space. */
	__u64 sk;
	__u64 cookie;
	__u64 inode;
	struct owner owner;
	struct flow flow;
	__u32 netns;
	__u32 uid;
	char device[16];
	__u8 kind;
	/* AF_INET, AF_INET6 or 0. */
	__u8 family;
	__u8 protocol;
	__u8 flags;
	__u8 state;
	__u8 direction;
};

struct retransmit_record {
	struct record_head head;
	__u32 seq;
	__u32 end_seq;
	__u32 segments;
	__u32 bytes;
	__u32 srtt_us;
	__u32 rto_jiffies;
	__u32 cwnd;
	__u32 ssthresh;
	__u32 in_flight;
	__u32 total_retransmits;
	__s32 err;
	/* rcv_nxt: the acknowledgement number that it carries. */
	__u32 ack;
	/* Since TCP took the time that it sends at (tcp_mstamp); 0: not known. */
	__u32 spent_us;
	__u8 ca_state;
	__u8 pending;
	__u8 retransmits;
};

struct drop_record {
	struct record_head head;
	__u64 location;
	__u32 reason;
	__u32 length;
	__u32 seq;
	__u32 end_seq;
	__u16 ethertype;
	__u8 tcp_flags;
	/* Of a packet with the flag ACK. */
	__u32 ack;
	/* FLAG_HAS_NAT: the connection as the end that opened it addresses it, and as the other end knows it. */
	struct flow opened;
	struct flow translated;
};

enum losslog_packet_begin {
	PACKET_NONE,
	/* With the Ethernet header. */
	PACKET_ETHERNET,
	/* With the IP header. */
	PACKET_IP,
};

/* Behind a drop_record, where packets are captured; then the bytes themselves. */
struct packet_record {
	/* Bytes of the whole packet from where the capture begins, the VLAN tag beside it not counted. */
	__u32 length;
	/* How many of them follow. */
	__u16 captured;
	/* enum losslog_packet_begin */
	__u8 begin;
	__u8 has_vlan;
	/* A VLAN tag that the kernel keeps beside the packet (skb->vlan_tci): EtherType in network byte order. */
	__u16 vlan_ethertype;
	__u16 vlan_tci;
};

struct reset_record {
	struct record_head head;
	__u32 reason;
};

/* What connection_record knows beyond its head, by this kernel or this socket. */
enum losslog_known {
	KNOWN_SEGMENTS = 1,
	KNOWN_BYTES = 2,
	KNOWN_BYTES_RETRANSMITTED = 4,
	KNOWN_SPURIOUS = 8,
	KNOWN_REORDERED = 16,
	KNOWN_TIMEOUTS = 32,
	KNOWN_MIN_RTT = 64,
	KNOWN_AGE = 128,
};

/* Members are named after the fields of the event, not after those of struct tcp_sock that they come from. */
struct connection_record {
	struct record_head head;
	__u64 bytes;
	__u64 bytes_retransmitted;
	__u64 age_jiffies;
	__u32 segments;
	__u32 retransmitted;
	__u32 spurious;
	__u32 reordered;
	__u32 timeouts;
	__u32 srtt_us;
	__u32 min_rtt_us;
	/* sk_err, an errno */
	__u32 error;
	/* enum losslog_known */
	__u8 known;
	__u8 is_end;
};

/*
 * What is only counted, beyond the limits or for want of room in a ring: a key of the maps `summaries` and
 * `summary_totals`. The generation begins anew when user space says so (struct control); the CPU is part of the key, so
 * that no two CPUs share a counter.
 */
struct summary_key {
	/* Where a packet was dropped; of other kinds the address of the struct sock, 0 for none. */
	__u64 place;
	__u32 netns;
	/* Of a retransmission what __tcp_retransmit_skb() returned. */
	__u32 reason;
	__u32 generation;
	__u16 cpu;
	__u8 kind;
	/* enum losslog_fact */
	__u8 facts;
	/* Of a connection; of a drop they are not told apart. */
	__u16 lport;
	__u16 rport;
	/* Of a drop. */
	__u16 ethertype;
	__u8 protocol;
	__u8 direction;
	/* Of a retransmission: what its cause is read from. */
	__u8 state;
	__u8 ca_state;
	__u8 pending;
	__u8 pad[5];
};

/* What the class of a drop depends on besides reason, place and protocol. */
enum losslog_fact {
	FACT_REASON = 1,
	FACT_DEVICE = 2,
	FACT_FLOW = 4,
	FACT_GROUP = 8,
	FACT_TCP = 16,
	FACT_DATA = 32,
	FACT_SYN = 64,
	FACT_RST = 128,
};

struct summary {
	__u64 events;
	__u64 segments;
	__u64 bytes;
	__u64 first_ns;
	/* Reading the clock would cost more than the counting: the last is so many jiffies after the first. */
	__u64 first_jiffies;
	__u64 last_jiffies;
	/* Of the connection, where `place` is one. */
	__u64 inode;
	struct flow flow;
	__u8 family;
};

/* The first drops that a CPU counts in a generation, which in a storm are its own (bpf/summary.h). */
struct hot_summary {
	/* 1: by a key, until user space has stored what it counted. */
	__u64 taken;
	struct summary_key key;
	struct summary counts;
} __attribute__((aligned(64)));

/* What found no room in any map, by kind alone. */
struct overflow {
	__u64 events;
	__u64 segments;
	__u64 bytes;
};

/* Written by user space. */
struct control {
	/* Counts up; programs that begin later count under it. */
	__u64 generation;
	/* One more than the last generation that is stored: what is still there of it is only to be removed. */
	__u64 stored;
	/* By enum losslog_kind: how much of the overflow of all CPUs has been told. */
	struct overflow told[KIND_COUNT];
};

/* Written by the programs: one more than the last generation in which it was so; 0: never. */
struct summary_state {
	/* Something was counted. */
	__u32 used;
	/* And not only drops. */
	__u32 connections;
	/* The map had no room for a key. */
	__u32 full;
	__u32 totals_full;
};

/* At most one record each `interval` on the average, and `burst` ahead of that; in parts of a jiffy. 0: no limit. */
struct limit {
	__u64 interval;
	__u64 burst;
};

/* What has limits of its own, so that a storm of the one leaves the other its room. */
enum losslog_lane {
	LANE_CONNECTION,
	LANE_DROP,
	LANE_COUNT,
};

enum losslog_bound {
	/* Namespaces of a filter that are compared in place. */
	BOUND_FIRST_NETNS = 8,
	/* More CPUs share counters. */
	BOUND_CPUS = 1024,
	/* Generations of summaries that have places beside the maps: one counts while the one before is on its way to the disk. */
	BOUND_HOT_GENERATIONS = 2,
	/* Drop reasons below this may ask for the headers of what is only counted. */
	BOUND_HEADER_REASONS = 256,
	/* struct limit */
	BOUND_JIFFY_PARTS = 4096,
	/* While the ring of drops is not fuller than one part of so many, packets are captured. */
	BOUND_PACKET_SHARE = 4,
};

/* What the socket iterator writes for each open socket. */
struct socket_record {
	__u64 sk;
	__u64 inode;
	struct owner owner;
};

/* What the listener iterator writes for each TCP socket in LISTEN. */
struct listener_record {
	__u64 inode;
	/* 0 while nobody asked for it. */
	__u64 cookie;
	struct owner owner;
	/* src and sport. */
	struct flow flow;
	__u32 netns;
	__u32 uid;
	/* SYNs and connections that it refused so far (sk_drops). */
	__u32 drops;
	/* Established and not accepted, and how many there may be. */
	__u32 queue;
	__u32 backlog;
	/* Not established yet. */
	__u32 syn_queue;
	__u8 family;
};

/* The names of a cgroup and its parents, leaf first, each ended by a NUL; the root has none. */
#define CGROUP_PATH_SIZE 512
#define CGROUP_NAME_SIZE 128
struct cgroup_key {
	__u64 id;
	__u64 hierarchy;
};
struct cgroup_path {
	__u32 length;
	/* 1 when the path was longer than the buffer. */
	__u32 truncated;
	/* room for one more name, so that the verifier sees that a masked offset is in bounds */
	char names[CGROUP_PATH_SIZE + CGROUP_NAME_SIZE];
};

/* In the order of their tracepoints' names in src/capture/kernel-facts.ts, which asks for them by name. */
enum losslog_probe {
	PROBE_TCP_RETRANSMIT_SKB,
	PROBE_TCP_RETRANSMIT_SYNACK,
	PROBE_KFREE_SKB,
	PROBE_TCP_SEND_RESET,
	PROBE_TCP_RECEIVE_RESET,
	PROBE_INET_SOCK_SET_STATE,
	PROBE_COUNT,
};

/* An event that the first program of a probe handled, and where on the stack of which context: bpf/probe.h. */
struct handled_event {
	__u64 event;
	__u64 stack;
};

/* Of the context that runs, and of the one that it interrupted. */
struct handled_events {
	struct handled_event inner;
	struct handled_event outer;
	/* The stack of the program that looks at this. */
	__u64 stack;
};

/* Per CPU, so that no two CPUs share a cache line. */
struct cpu_counters {
	/* By enum losslog_kind: records handed to the ring. */
	__u64 recorded[KIND_COUNT];
	/*
	 * By enum losslog_kind: records for which the ring had no room; they are in the summaries. Of connections, which are
	 * not, those beyond the limit too.
	 */
	__u64 no_room[KIND_COUNT];
	/* By enum losslog_probe: events that the first program missed and the second handled. */
	__u64 rescued[PROBE_COUNT];
	struct handled_events handled[PROBE_COUNT];
	/* By enum losslog_kind. */
	struct overflow overflow[KIND_COUNT];
} __attribute__((aligned(64)));

#endif
