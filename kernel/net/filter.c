/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Socket filters: what of a packet a program, classic or of bpf(2), lets through to a socket. */
#include <core/percpu.h>
#include <core/random.h>
#include <core/rcu.h>
#include <lib/bpf.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <net/bpf/program.h>
#include <net/byte_order.h>
#include <net/device.h>
#include <net/filter.h>
#include <proc/task.h>

struct socket_program {
	struct rcu_head rcu;
	struct bpf_program *extended; /* owns a reference; null: it is classic, */
	size_t count;		      /* of so many instructions */
	struct sock_filter instructions[] __counted_by(count);
};

static void program_free(struct rcu_head *head)
{
	struct socket_program *program = container_of(head, struct socket_program, rcu);

	bpf_program_put(program->extended);
	kfree(program);
}

static bool replace(struct socket_program **place, struct socket_program *program)
{
	struct socket_program *old = __atomic_exchange_n(place, program, __ATOMIC_ACQ_REL);

	if (old)
		rcu_call(&old->rcu, program_free);
	return old;
}

int socket_program_attach(struct socket_program **place, const void *value, size_t length)
{
	struct socket_program *program;
	struct sock_fprog given;
	int error;

	if (length != sizeof(given))
		return -EINVAL;
	memcpy(&given, value, sizeof(given));
	if (!given.len || given.len > BPF_MAXINSNS)
		return -EINVAL;
	program = kmalloc(sizeof(*program) + given.len * sizeof(struct sock_filter), 0);
	if (!program)
		return -ENOMEM;
	program->extended = nullptr;
	program->count = given.len;
	error = copy_from_user(program->instructions,
			       __force_user(const void __user *, given.filter),
			       given.len * sizeof(struct sock_filter));
	if (!error)
		error = bpf_check(program->instructions, given.len, BPF_DIALECT_PACKET, 0);
	if (error)
		kfree(program);
	else
		replace(place, program);
	return error;
}

int socket_program_attach_handle(struct socket_program **place, const void *value, size_t length)
{
	struct bpf_program *extended;
	struct socket_program *program;
	int fd, error;

	if (length != sizeof(fd))
		return -EINVAL;
	memcpy(&fd, value, sizeof(fd));
	error = bpf_program_of_handle(current_task()->pool, fd, RIGHT_EXECUTE, &extended);
	if (error)
		return error;
	program = kzalloc(sizeof(*program), 0);
	if (!program) {
		bpf_program_put(extended);
		return -ENOMEM;
	}
	program->extended = extended;
	replace(place, program);
	return 0;
}

int socket_program_detach(struct socket_program **place)
{
	return replace(place, nullptr) ? 0 : -ENOENT;
}

int socket_filter_attach(struct socket *socket, const void *value, size_t length)
{
	if (socket->options & SOCKET_LOCK_FILTER)
		return -EPERM;
	return socket_program_attach(&socket->filter, value, length);
}

int socket_filter_attach_handle(struct socket *socket, const void *value, size_t length)
{
	if (socket->options & SOCKET_LOCK_FILTER)
		return -EPERM;
	return socket_program_attach_handle(&socket->filter, value, length);
}

int socket_filter_detach(struct socket *socket)
{
	if (socket->options & SOCKET_LOCK_FILTER)
		return -EPERM;
	return socket_program_detach(&socket->filter);
}

void socket_filter_release(struct socket *socket)
{
	if (socket->filter)
		(void)socket_program_detach(&socket->filter);
}

/* What is known of a packet besides its bytes (SKF_AD_*). */
static bool load_ancillary(const struct packet *packet, u32 what, u32 *out)
{
	switch (what) {
	case SKF_AD_PROTOCOL:
		*out = packet->protocol;
		return true;
	case SKF_AD_PKTTYPE:
		*out = packet->kind;
		return true;
	case SKF_AD_IFINDEX:
		*out = (u32)packet->device->index;
		return true;
	case SKF_AD_HATYPE:
		*out = packet->device->type;
		return true;
	case SKF_AD_MARK:
		*out = packet->mark;
		return true;
	case SKF_AD_CPU:
		*out = cpu_id();
		return true;
	case SKF_AD_QUEUE:
		*out = packet->queue;
		return true;
	case SKF_AD_RXHASH:
	case SKF_AD_VLAN_TAG:
	case SKF_AD_VLAN_TAG_PRESENT:
	case SKF_AD_VLAN_TPID:
		*out = 0;
		return true;
	case SKF_AD_RANDOM:
		random_bytes(out, sizeof(*out));
		return true;
	default:
		return false;
	}
}

bool socket_program_load(const struct packet *packet, u32 offset, unsigned size, u32 *out)
{
	u8 bytes[4] = {};
	s32 place = (s32)offset;

	if (place < 0) {
		unsigned base = packet_headroom(packet);

		if (place >= SKF_NET_OFF)
			offset = packet->network_header - base + (u32)(place - SKF_NET_OFF);
		else
			offset = packet->link_header - base + (u32)(place - SKF_LL_OFF);
		if (offset >= packet->length)
			return false;
	}
	if (offset > packet->length || size > packet->length - offset ||
	    !packet_copy(packet, offset, bytes, size))
		return false;
	*out = size == 1 ? bytes[0] : size == 2 ? load_net16(bytes) : load_net32(bytes);
	return true;
}

static bool load(const void *context, u32 offset, unsigned size, u32 *out)
{
	s32 place = (s32)offset;

	if (place < 0 && place >= SKF_AD_OFF)
		return load_ancillary(context, (u32)(place - SKF_AD_OFF), out);
	return socket_program_load(context, offset, size, out);
}

u32 socket_program_run(const struct socket_program *program, const struct packet *packet,
		       struct socket *socket)
{
	struct bpf_input input = { .context = packet, .length = packet->length, .load = load };

	return program->extended ? (u32)bpf_program_run(program->extended, packet, socket)
				 : bpf_run(program->instructions, &input);
}

bool socket_program_cut(struct socket_program *const *place, struct packet *packet)
{
	const struct socket_program *program;
	u32 wanted = packet->length;

	rcu_read_lock();
	program = rcu_dereference(*place);
	if (unlikely(program))
		wanted = socket_program_run(program, packet, nullptr);
	rcu_read_unlock();
	if (wanted < packet->length)
		packet_trim(packet, wanted);
	return wanted;
}

u32 socket_filter_run(struct socket *socket, const struct packet *packet)
{
	const struct socket_program *filter = rcu_dereference(socket->filter);

	return filter ? socket_program_run(filter, packet, socket) : packet->length;
}
