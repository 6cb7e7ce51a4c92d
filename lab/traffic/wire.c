// wire DEVICE_A DEVICE_B FAULT EVERY BY: carries frames between two devices, as a cable or a switch that nobody can
// look into: what it loses, no kernel counts. FAULT hits every EVERYth TCP packet with payload on its way A to B:
//   none, drop, corrupt (its checksum is wrong at the receiver), overtaken (the next BY of these go before it).
// Overtaken by a number, not for a time: on a busy machine this program stands still for longer than any delay, and what
// was due meanwhile would go before what came meanwhile. Nothing comes after the end of its connection, where it would
// find nobody: connections are expected one after the other.
// Answers each line on stdin with {"carried":…,"hit":…}, and ends with stdin.
// The kernel's netem would do it; it is not in every kernel.
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAME_SIZE (sizeof(struct virtio_net_hdr) + 65536 + ETH_HLEN)

enum fault { NONE, DROP, CORRUPT, OVERTAKEN };

struct segment {
	size_t tcp; // where its TCP header begins in the frame
	bool has_payload, is_first, is_last;
};

static const char *const fault_names[] = { "none", "drop", "corrupt", "overtaken" };
static unsigned char frame[FRAME_SIZE], held[FRAME_SIZE];
static size_t held_length; // 0: none is held
static unsigned long to_overtake; // so many are still to go before it
static bool is_over;
static unsigned long carried, hit, payloads;

// The virtio header keeps what the sender's kernel left to the device: checksums and segmentation.
static int open_device(const char *name)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL)), on = 1, room = 16 << 20;

	at.sll_ifindex = if_nametoindex(name);
	if (fd < 0 || at.sll_ifindex == 0 || setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) != 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) != 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
		perror(name);
		exit(1);
	}
	return fd;
}

// Of a frame that is no TCP nothing is set. Options of IPv6 are not expected here.
static struct segment segment_of(const unsigned char *packet, size_t length)
{
	const struct segment none = { 0 };
	const struct ethhdr *ethernet = (const void *)packet;
	const struct iphdr *ip = (const void *)(ethernet + 1);
	const struct ip6_hdr *ip6 = (const void *)(ethernet + 1);
	const struct tcphdr *tcp;
	size_t start, end;

	if (ethernet->h_proto == htons(ETH_P_IP) && ip->protocol == IPPROTO_TCP) {
		start = ETH_HLEN + ip->ihl * 4;
		end = ETH_HLEN + ntohs(ip->tot_len);
	} else if (ethernet->h_proto == htons(ETH_P_IPV6) && ip6->ip6_nxt == IPPROTO_TCP) {
		start = ETH_HLEN + sizeof(*ip6);
		end = start + ntohs(ip6->ip6_plen);
	} else {
		return none;
	}
	if (end > length || start + sizeof(*tcp) > end)
		return none;
	tcp = (const void *)(packet + start);
	return (struct segment){ start, end - start > tcp->doff * 4u, tcp->syn, tcp->fin || tcp->rst };
}

static void put(int fd, const unsigned char *data, size_t length)
{
	while (write(fd, data, length) < 0)
		if (errno != EINTR && errno != ENOBUFS && errno != EAGAIN) {
			perror("wire");
			exit(1);
		}
}

static void hold(size_t length, unsigned long by)
{
	memcpy(held, frame, length);
	held_length = length;
	to_overtake = by;
}

static void release(int fd)
{
	if (held_length > 0)
		put(fd, held, held_length);
	held_length = 0;
}

// A checksum that the sender left to the device is only begun: taking that note off the frame makes it wrong. A whole
// one is damaged.
static void corrupt(size_t tcp)
{
	struct virtio_net_hdr *virtio = (void *)frame;

	if (virtio->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		virtio->flags &= ~VIRTIO_NET_HDR_F_NEEDS_CSUM;
	virtio->flags &= ~VIRTIO_NET_HDR_F_DATA_VALID;
	frame[sizeof(*virtio) + tcp + 16] ^= 0x55;
}

static bool is_hit(const struct segment *segment, enum fault fault, unsigned long every)
{
	if (!segment->has_payload || (fault == OVERTAKEN && is_over))
		return false;
	return ++payloads % every == 0;
}

static void carry(int from, int to, enum fault fault, unsigned long every, unsigned long by)
{
	size_t skip = sizeof(struct virtio_net_hdr);
	ssize_t length = recv(from, frame, sizeof(frame), MSG_DONTWAIT);
	struct segment segment = { 0 };

	if (length < (ssize_t)(skip + ETH_HLEN))
		return;
	carried++;
	if (fault != NONE)
		segment = segment_of(frame + skip, length - skip);
	if (segment.is_last) {
		release(to);
		is_over = true;
	}
	if (segment.is_first)
		is_over = false;
	if (!is_hit(&segment, fault, every)) {
		put(to, frame, length);
		if (segment.has_payload && held_length > 0 && --to_overtake == 0)
			release(to);
		return;
	}
	hit++;
	if (fault == OVERTAKEN)
		hold(length, by);
	if (fault == CORRUPT) {
		corrupt(segment.tcp);
		put(to, frame, length);
	}
}

static enum fault fault_of(const char *name)
{
	for (int i = NONE; i <= OVERTAKEN; i++)
		if (strcmp(name, fault_names[i]) == 0)
			return i;
	fprintf(stderr, "wire: no fault %s\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	struct pollfd wait[3];
	unsigned long every, by;
	enum fault fault;
	char line[256];

	// One frame is held at a time: BY is less than EVERY.
	if (argc != 6 || (every = strtoul(argv[4], NULL, 10)) == 0 || (by = strtoul(argv[5], NULL, 10)) >= every) {
		fprintf(stderr, "usage: wire DEVICE_A DEVICE_B none|drop|corrupt|overtaken EVERY BY\n");
		return 2;
	}
	fault = fault_of(argv[3]);
	// A cable does not wait for a processor. Where that is refused it does, which shows in the senders' timers only.
	sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){ .sched_priority = 1 });
	wait[0] = (struct pollfd){ .fd = open_device(argv[1]), .events = POLLIN };
	wait[1] = (struct pollfd){ .fd = open_device(argv[2]), .events = POLLIN };
	wait[2] = (struct pollfd){ .fd = 0, .events = POLLIN };
	for (;;) {
		printf("{\"carried\":%lu,\"hit\":%lu}\n", carried, hit);
		fflush(stdout);
		do {
			poll(wait, 3, -1);
			if (wait[0].revents & POLLIN)
				carry(wait[0].fd, wait[1].fd, fault, every, by);
			if (wait[1].revents & POLLIN)
				carry(wait[1].fd, wait[0].fd, NONE, every, by);
		} while (!(wait[2].revents & (POLLIN | POLLHUP)));
		if (read(0, line, sizeof(line)) <= 0)
			return 0;
	}
}
