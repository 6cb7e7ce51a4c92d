/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The first bytes of a dropped skb, as they lie in its linear part: from its Ethernet header where that is there, else
 * from its IP header.
 */
#ifndef LOSSLOG_SNAP_H
#define LOSSLOG_SNAP_H

#define VLAN_HLEN 4

static __always_inline bool has_vlan_beside(const struct sk_buff *skb)
{
	if (bpf_core_field_exists(skb->vlan_present))
		return BPF_CORE_READ_BITFIELD_PROBED(skb, vlan_present);
	return skb->vlan_proto;
}

/*
 * Where the Ethernet header begins, or NULL. A mark alone proves nothing (what a tunnel or a raw socket leaves there is
 * something else): the header must end where the packet's own begins, and have its EtherType.
 */
static __always_inline const unsigned char *ethernet_of(const struct sk_buff *skb, const struct headers *headers)
{
	__u16 mac = skb->mac_header;
	const unsigned char *begin = skb->head + mac;
	__be16 ethertype;

	if (mac == 0xffff || begin + ETH_HLEN != headers->begin)
		return NULL;
	if (bpf_probe_read_kernel(&ethertype, sizeof(ethertype), begin + ETH_HLEN - sizeof(ethertype)))
		return NULL;
	return ethertype == skb->protocol ? begin : NULL;
}

/*
 * What to reserve behind a record of a drop. Nothing while the ring fills up, so that a burst is recorded whole rather than
 * a part of it with its bytes.
 */
static __always_inline __u64 packet_bytes(void)
{
	if (!packet_room || bpf_ringbuf_query(&drop_ring, BPF_RB_AVAIL_DATA) > DROP_RING_BYTES / BOUND_PACKET_SHARE)
		return 0;
	return sizeof(struct packet_record) + packet_room;
}

/* Fills the room behind `record`. */
static __always_inline void capture_packet(const struct sk_buff *skb, struct drop_record *record,
					   const struct headers *headers)
{
	struct packet_record *packet = (struct packet_record *)(record + 1);
	const unsigned char *begin = ethernet_of(skb, headers), *end = skb->head + skb->tail;
	__u64 room = packet_room, size;

	__builtin_memset(packet, 0, sizeof(*packet));
	packet->begin = begin ? PACKET_ETHERNET : PACKET_IP;
	if (!begin && !is_vlan(bpf_ntohs(skb->protocol)) && headers->is_ip)
		begin = headers->begin;
	if (begin && has_vlan_beside(skb) && packet->begin == PACKET_ETHERNET) {
		packet->has_vlan = true;
		packet->vlan_ethertype = skb->vlan_proto;
		packet->vlan_tci = skb->vlan_tci;
		/* the tag counts as captured */
		if (!packet_headers_only)
			room = room > VLAN_HLEN ? room - VLAN_HLEN : 0;
	}
	if (packet_headers_only && headers->end < end)
		end = headers->end;
	if (!begin || begin >= end) {
		packet->begin = PACKET_NONE;
		return;
	}
	size = end - begin;
	/* keeps the check next to the call: before 5.11 the verifier forgets the bound of a number that goes over the stack */
	asm volatile("" : "+r"(size));
	if (size > room)
		size = room;
	if (bpf_probe_read_kernel(packet + 1, size, begin)) {
		packet->begin = PACKET_NONE;
		return;
	}
	packet->captured = size;
	packet->length = skb->len + (__u32)(skb->data - begin);
}

#endif
