/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Which connection a packet is of by connection tracking: NAT may have changed its headers by now. */
#ifndef LOSSLOG_CONNTRACK_H
#define LOSSLOG_CONNTRACK_H

/* include/linux/skbuff.h: the low bits of _nfct are the packet's relation to the connection */
#define NFCT_PTRMASK (~7UL)
/* include/uapi/linux/netfilter/nf_conntrack_common.h */
#define IPS_NAT_MASK (1 << 4 | 1 << 5)

/* include/net/netfilter/nf_conntrack_tuple.h; its size is held against BTF (src/capture/conntrack-facts.ts). */
struct conntrack_tuple {
	__u8 src[16];
	__be16 sport;
	__u16 family;
	__u8 dst[16];
	__be16 dport;
	__u8 protocol;
	__u8 direction;
};

/* Where the addresses of the connection are translated: how each of its ends knows it. */
static __always_inline void read_nat(const struct sk_buff *skb, struct drop_record *record)
{
	struct conntrack_tuple opened, reply;
	const char *conntrack;
	unsigned long status;

	if (!conntrack_status || !bpf_core_field_exists(skb->_nfct))
		return;
	conntrack = (const char *)(skb->_nfct & NFCT_PTRMASK);
	if (!conntrack || bpf_probe_read_kernel(&status, sizeof(status), conntrack + conntrack_status) ||
	    !(status & IPS_NAT_MASK))
		return;
	if (bpf_probe_read_kernel(&opened, sizeof(opened), conntrack + conntrack_original) ||
	    bpf_probe_read_kernel(&reply, sizeof(reply), conntrack + conntrack_reply))
		return;
	__builtin_memcpy(record->opened.src, opened.src, sizeof(opened.src));
	__builtin_memcpy(record->opened.dst, opened.dst, sizeof(opened.dst));
	record->opened.sport = bpf_ntohs(opened.sport);
	record->opened.dport = bpf_ntohs(opened.dport);
	__builtin_memcpy(record->translated.src, reply.dst, sizeof(reply.dst));
	__builtin_memcpy(record->translated.dst, reply.src, sizeof(reply.src));
	record->translated.sport = bpf_ntohs(reply.dport);
	record->translated.dport = bpf_ntohs(reply.sport);
	record->head.flags |= FLAG_HAS_NAT;
}

#endif
