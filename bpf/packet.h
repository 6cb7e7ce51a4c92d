/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The headers of a dropped skb, from its linear part. Nothing in the skb says for sure which headers are there: each
 * one is believed only when it lies within the linear part and its version and lengths are possible.
 */
#ifndef LOSSLOG_PACKET_H
#define LOSSLOG_PACKET_H

#define MAX_VLAN_TAGS 2
#define MAX_EXTENSION_HEADERS 8
#define IPV4_FRAGMENT_OFFSET 0x1fff
#define IPV6_FRAGMENT_OFFSET 0xfff8
#define TCP_FLAG_ACK 0x10
#define ICMP_HEADER 8
#define UDP_HEADER 8
/* and the generic one of DCCP (RFC 9260 3, RFC 4340 5.1) */
#define SCTP_HEADER 12
/* of Ethernet and IPv4 (RFC 826) */
#define ARP_PACKET 28

struct ipv4_header {
	__u8 version_ihl;
	__u8 tos;
	__be16 total_length;
	__be16 id;
	__be16 fragment;
	__u8 ttl;
	__u8 protocol;
	__u16 checksum;
	__u8 src[4];
	__u8 dst[4];
};

struct ipv6_header {
	__u8 version_class;
	__u8 class_flow[3];
	__be16 payload_length;
	__u8 next_header;
	__u8 hop_limit;
	__u8 src[16];
	__u8 dst[16];
};

struct tcp_header {
	__be16 sport;
	__be16 dport;
	__be32 seq;
	__be32 ack;
	__u8 data_offset;
	__u8 flags;
};

struct vlan_header {
	__be16 tci;
	__be16 ethertype;
};

/* Where parsing stands: the address, the end of the linear part, and the bytes of the packet from here on. */
struct cursor {
	const unsigned char *at;
	const unsigned char *end;
	__u32 left;
};

/* Where the packet's own headers lie: behind the Ethernet header, and before what it carries. */
struct headers {
	const unsigned char *begin;
	const unsigned char *end;
	bool is_ip;
};

static __always_inline bool read_at(const struct cursor *cursor, void *to, __u32 size)
{
	return cursor->at + size <= cursor->end && !bpf_probe_read_kernel(to, size, cursor->at);
}

static __always_inline void advance(struct cursor *cursor, __u32 bytes)
{
	cursor->at += bytes;
	cursor->left = cursor->left > bytes ? cursor->left - bytes : 0;
}

static __always_inline void read_transport(struct cursor *cursor, struct drop_record *record)
{
	__u8 protocol = record->head.protocol;
	struct tcp_header tcp;
	__be16 ports[2];

	if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6)
		advance(cursor, ICMP_HEADER);
	/* TCP, UDP, DCCP, SCTP and UDP-Lite begin with the ports */
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP && protocol != 33 && protocol != 132 && protocol != 136)
		return;
	if (!read_at(cursor, ports, sizeof(ports)))
		return;
	record->head.flow.sport = bpf_ntohs(ports[0]);
	record->head.flow.dport = bpf_ntohs(ports[1]);
	record->head.flags |= FLAG_HAS_PORTS;
	if (protocol != IPPROTO_TCP) {
		advance(cursor, protocol == IPPROTO_UDP || protocol == 136 ? UDP_HEADER : SCTP_HEADER);
		return;
	}
	if (!read_at(cursor, &tcp, sizeof(tcp)))
		return;
	record->tcp_flags = tcp.flags;
	record->seq = bpf_ntohl(tcp.seq);
	if (tcp.flags & TCP_FLAG_ACK)
		record->ack = bpf_ntohl(tcp.ack);
	advance(cursor, (tcp.data_offset >> 4) * 4);
	record->end_seq = record->seq + cursor->left + (tcp.flags & 1) + ((tcp.flags >> 1) & 1);
	record->head.flags |= FLAG_HAS_SEQ;
}

static __always_inline bool read_ipv4(struct cursor *cursor, struct drop_record *record)
{
	struct ipv4_header ip;
	__u32 header_length, total_length;

	if (!read_at(cursor, &ip, sizeof(ip)))
		return false;
	header_length = (ip.version_ihl & 0xf) * 4;
	total_length = bpf_ntohs(ip.total_length);
	if (ip.version_ihl >> 4 != 4 || header_length < sizeof(ip))
		return false;
	__builtin_memcpy(record->head.flow.src, ip.src, sizeof(ip.src));
	__builtin_memcpy(record->head.flow.dst, ip.dst, sizeof(ip.dst));
	record->head.family = AF_INET;
	record->head.protocol = ip.protocol;
	record->head.flags |= FLAG_HAS_FLOW;
	/* 0 in a GSO packet of more than 64 KiB (BIG TCP) */
	if (total_length >= header_length)
		cursor->left = total_length;
	advance(cursor, header_length);
	if (!(bpf_ntohs(ip.fragment) & IPV4_FRAGMENT_OFFSET))
		read_transport(cursor, record);
	return true;
}

static __always_inline bool is_extension(__u8 next_header)
{
	/* hop-by-hop, routing, fragment, authentication, destination options, mobility */
	return next_header == 0 || next_header == 43 || next_header == 44 || next_header == 51 || next_header == 60 ||
	       next_header == 135;
}

static __always_inline bool read_ipv6(struct cursor *cursor, struct drop_record *record)
{
	struct ipv6_header ip;
	__u32 payload_length;
	__u8 next;

	if (!read_at(cursor, &ip, sizeof(ip)) || ip.version_class >> 4 != 6)
		return false;
	__builtin_memcpy(record->head.flow.src, ip.src, sizeof(ip.src));
	__builtin_memcpy(record->head.flow.dst, ip.dst, sizeof(ip.dst));
	record->head.family = AF_INET6;
	record->head.flags |= FLAG_HAS_FLOW;
	payload_length = bpf_ntohs(ip.payload_length);
	/* 0 in a jumbogram */
	if (payload_length)
		cursor->left = sizeof(ip) + payload_length;
	advance(cursor, sizeof(ip));
	next = ip.next_header;
	for (int i = 0; i < MAX_EXTENSION_HEADERS; i++) {
		/* next header, length, then for a fragment its offset (RFC 8200 4.5) */
		__u8 extension[4];
		__u32 length;

		if (!is_extension(next) || !read_at(cursor, extension, sizeof(extension)))
			break;
		/* RFC 8200 4.2; a fragment header is 8 bytes, AH counts in 4 bytes less two (RFC 4302 2.2) */
		length = next == 44 ? 8 : next == 51 ? (extension[1] + 2) * 4 : (extension[1] + 1) * 8;
		if (next == 44 && ((extension[2] << 8 | extension[3]) & IPV6_FRAGMENT_OFFSET)) {
			record->head.protocol = extension[0];
			advance(cursor, length);
			return true;
		}
		next = extension[0];
		advance(cursor, length);
	}
	record->head.protocol = next;
	read_transport(cursor, record);
	return true;
}

static __always_inline bool is_vlan(__u16 ethertype)
{
	return ethertype == ETH_P_8021Q || ethertype == ETH_P_8021AD;
}

/*
 * Where the header of `ethertype` begins. A VLAN tag lies behind the Ethernet addresses; the network header is behind the
 * tag on its way out (packet_parse_headers(), __vlan_insert_inner_tag()) and at the tag on its way in.
 */
static __always_inline const unsigned char *begin_of(const struct sk_buff *skb, __u16 ethertype, const unsigned char *head)
{
	__u16 network = skb->network_header;
	__u16 mac = skb->mac_header;

	/* 0 and ~0 are what alloc_skb() leaves: no header was marked yet */
	if (is_vlan(ethertype) && mac != 0xffff && mac + ETH_HLEN <= network)
		return head + mac + ETH_HLEN;
	return network == 0 || network == 0xffff ? skb->data : head + network;
}

/* Reads what headers there are, and tells where they lie; returns whether they were IP. */
static __always_inline bool read_packet(const struct sk_buff *skb, struct drop_record *record, struct headers *headers)
{
	const unsigned char *head = skb->head;
	__u16 ethertype = bpf_ntohs(skb->protocol);
	struct cursor cursor = {
		.at = begin_of(skb, ethertype, head),
		.end = head + skb->tail,
	};

	headers->begin = cursor.at;
	/* skb->len counts from skb->data, which is before the header in a queue and behind it in a transport protocol */
	cursor.left = record->length + (__u32)(skb->data - cursor.at);
	for (int i = 0; i < MAX_VLAN_TAGS; i++) {
		struct vlan_header vlan;

		if (!is_vlan(ethertype) || !read_at(&cursor, &vlan, sizeof(vlan)))
			break;
		ethertype = bpf_ntohs(vlan.ethertype);
		advance(&cursor, sizeof(vlan));
	}
	record->ethertype = ethertype;
	headers->is_ip = false;
	if (ethertype == ETH_P_IP)
		headers->is_ip = read_ipv4(&cursor, record);
	else if (ethertype == ETH_P_IPV6)
		headers->is_ip = read_ipv6(&cursor, record);
	else if (ethertype == ETH_P_ARP)
		advance(&cursor, ARP_PACKET);
	headers->end = cursor.at;
	return headers->is_ip;
}

#endif
