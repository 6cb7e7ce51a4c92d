/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The one translation unit of the kernel side. */
#include "kernel_types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_endian.h>
#include "record.h"
#include "maps.h"
#include "emit.h"
#include "limit.h"
#include "probe.h"
#include "owner.h"
#include "sock.h"
#include "summary.h"
#include "packet.h"
#include "conntrack.h"
#include "snap.h"
#include "connection.bpf.c"
#include "retransmit.bpf.c"
#include "drop.bpf.c"
#include "reset.bpf.c"
#include "ownership.bpf.c"
#include "listeners.bpf.c"

/* Named here so that their types are in the object's BTF, for the layout generator. */
struct retransmit_record *retransmit_record_type;
struct drop_record *drop_record_type;
struct packet_record *packet_record_type;
struct reset_record *reset_record_type;
struct connection_record *connection_record_type;
struct socket_record *socket_record_type;
struct listener_record *listener_record_type;
enum losslog_kind kind_type;
enum losslog_owner_how owner_how_type;
enum losslog_flag flag_type;
enum losslog_direction direction_type;
enum losslog_probe probe_type;
enum losslog_packet_begin packet_begin_type;
enum losslog_fact fact_type;
enum losslog_known known_type;
enum losslog_lane lane_type;
enum losslog_bound bound_type;

/* The tracing helpers are for programs under the GPL only. */
char LICENSE[] SEC("license") = "GPL";
