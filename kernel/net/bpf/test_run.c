/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running a program on bytes that user space gives, as if a frame with them had come in. */
#include <core/time.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/bpf/program.h>
#include <net/bpf/test_run.h>
#include <net/byte_order.h>
#include <net/filter_view.h>
#include <net/namespace.h>
#include <proc/signal.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

/* Sockets see what is behind the link header. */
static int make_packet(const struct bpf_test *test, struct packet **out)
{
	const struct ethhdr *header = test->data;
	struct packet *packet = packet_alloc();
	int error;

	if (!packet)
		return -ENOMEM;
	error = packet_append_bytes(packet, test->data, test->size);
	if (error) {
		packet_free(packet);
		return error;
	}
	packet->link_header = (u16)packet_headroom(packet);
	packet_pull(packet, ETH_HLEN);
	packet->network_header = (u16)packet_headroom(packet);
	packet->protocol = net16(header->h_proto);
	packet->kind = header->h_dest[0] & 1 ? PACKET_MULTICAST : PACKET_HOST;
	packet->mark = test->context.mark;
	packet->priority = test->context.priority;
	*out = packet;
	return 0;
}

static u32 run_once(const struct bpf_program *program, struct packet *packet, struct __sk_buff *out)
{
	const struct filter_view view = filter_view_packet(packet);
	struct __sk_buff context;
	u32 result;

	rcu_read_lock();
	packet->device = rcu_dereference(current_network()->loopback);
	bpf_context_fill(&context, &view);
	memcpy(context.cb, out->cb, sizeof(context.cb));
	result = (u32)bpf_program_run_context(program, &view, nullptr, &context);
	rcu_read_unlock();
	*out = context;
	return result;
}

/* A header that the protocol must have is there. */
static bool is_whole(const struct bpf_test *test)
{
	const struct ethhdr *header = test->data;
	u32 least = ETH_HLEN;

	if (test->size < ETH_HLEN || test->size > BPF_TEST_SIZE_MAX)
		return false;
	if (header->h_proto == net16(ETH_P_IP))
		least += sizeof(struct iphdr);
	else if (header->h_proto == net16(ETH_P_IPV6))
		least += sizeof(struct ipv6hdr);
	return test->size >= least;
}

int bpf_program_test(const struct bpf_program *program, struct bpf_test *test)
{
	u64 start = clock_monotonic_ns();
	struct packet *packet;
	int error;

	if (!is_whole(test))
		return -EINVAL;
	error = make_packet(test, &packet);
	if (error)
		return error;
	for (u32 n = 0; n < test->repeat && !error; n++) {
		test->result = run_once(program, packet, &test->context);
		error = signal_pending() ? -EINTR : 0;
	}
	packet_free(packet);
	test->duration_ns = (u32)((clock_monotonic_ns() - start) / test->repeat);
	return error;
}
