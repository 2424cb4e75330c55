/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running programs of BPF on packets and messages. */
#include <core/percpu.h>
#include <net/bpf/interpreter.h>
#include <net/bpf/program.h>
#include <net/byte_order.h>
#include <net/device.h>
#include <net/filter_view.h>

#include <linux/if_packet.h>

bool bpf_load_packet(const struct bpf_machine *machine, const struct bpf_insn *at, u64 index,
		     u64 *out)
{
	u32 offset = (u32)at->imm, value;

	if (BPF_MODE(at->code) == BPF_IND)
		offset += (u32)index;
	if (!filter_view_load(machine->view, offset, bpf_access_size(at->code), &value))
		return false;
	*out = value;
	return true;
}

void bpf_context_fill(struct __sk_buff *context, const struct filter_view *view)
{
	const struct packet *packet = view->packet;
	u32 index;

	*context = (struct __sk_buff){ .len = view->length };
	if (!packet)
		return;
	index = packet->device ? (u32)packet->device->index : 0;
	context->pkt_type = packet->kind;
	context->mark = packet->mark;
	context->queue_mapping = packet->queue;
	context->protocol = net16(packet->protocol);
	context->priority = packet->priority;
	context->ingress_ifindex = packet->kind == PACKET_OUTGOING ? 0 : index;
	context->ifindex = index;
	context->gso_size = packet->segment_size;
}

u64 bpf_program_run_context(const struct bpf_program *program, const struct filter_view *view,
			    struct socket *socket, struct __sk_buff *context)
{
	__uninitialized struct bpf_machine machine;

	machine.view = view;
	machine.socket = socket;
	machine.context = context;
	return bpf_interpret(program->instructions, &machine, nullptr);
}

u64 bpf_program_run(const struct bpf_program *program, const struct filter_view *view,
		    struct socket *socket)
{
	struct __sk_buff context;

	bpf_context_fill(&context, view);
	return bpf_program_run_context(program, view, socket, &context);
}
