/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Socket filters: what of a packet a program, classic or of bpf(2), lets through to a socket. */
#include <core/rcu.h>
#include <lib/bpf.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <net/bpf/program.h>
#include <net/filter.h>
#include <proc/task.h>

struct socket_program {
	struct rcu_head rcu;
	u32 refs; /* atomic: the places where it is; the last one frees it after a grace period */
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

static void program_put(struct socket_program *program)
{
	if (__atomic_sub_fetch(&program->refs, 1, __ATOMIC_ACQ_REL) == 0)
		rcu_call(&program->rcu, program_free);
}

static bool replace(struct socket_program **place, struct socket_program *program)
{
	struct socket_program *old = __atomic_exchange_n(place, program, __ATOMIC_ACQ_REL);

	if (old)
		program_put(old);
	return old;
}

/* False: its last place let it go already. */
static bool get_unless_zero(struct socket_program *program)
{
	u32 refs = __atomic_load_n(&program->refs, __ATOMIC_RELAXED);

	while (refs && !__atomic_compare_exchange_n(&program->refs, &refs, refs + 1, true,
						    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		;
	return refs;
}

struct socket_program *socket_program_get(struct socket_program *const *place)
{
	struct socket_program *program;

	rcu_read_lock();
	do
		program = rcu_dereference(*place);
	while (program && !get_unless_zero(program));
	rcu_read_unlock();
	return program;
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
	program->refs = 1;
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
	program->refs = 1;
	program->extended = extended;
	replace(place, program);
	return 0;
}

int socket_program_detach(struct socket_program **place)
{
	return replace(place, nullptr) ? 0 : -ENOENT;
}

/* Where the filter of the socket is: in what of it lives longest. */
static struct socket_program **place_of(struct socket *socket)
{
	return socket->ops->filter ? socket->ops->filter(socket) : &socket->filter;
}

int socket_filter_attach(struct socket *socket, const void *value, size_t length)
{
	if (socket->options & SOCKET_LOCK_FILTER)
		return -EPERM;
	return socket_program_attach(place_of(socket), value, length);
}

int socket_filter_attach_handle(struct socket *socket, const void *value, size_t length)
{
	if (socket->options & SOCKET_LOCK_FILTER)
		return -EPERM;
	return socket_program_attach_handle(place_of(socket), value, length);
}

int socket_filter_detach(struct socket *socket)
{
	if (socket->options & SOCKET_LOCK_FILTER)
		return -EPERM;
	return socket_program_detach(place_of(socket));
}

int socket_filter_get(struct socket *socket, void *value, size_t *count)
{
	struct socket_program *program = socket_program_get(place_of(socket));
	size_t room = *count;
	int error = 0;

	*count = 0;
	if (!program)
		return 0;
	if (program->extended) {
		error = -EACCES;
	} else if (room && room < program->count) {
		error = -EINVAL;
	} else {
		*count = program->count;
		if (room)
			memcpy(value, program->instructions,
			       program->count * sizeof(struct sock_filter));
	}
	program_put(program);
	return error;
}

void socket_filter_release(struct socket *socket)
{
	if (socket->filter)
		(void)socket_program_detach(&socket->filter);
}

static bool load(const void *context, u32 offset, unsigned size, u32 *out)
{
	return filter_view_load(context, offset, size, out);
}

static bool load_ancillary(const void *context, u32 what, u32 a, u32 x, u32 *out)
{
	return filter_view_ancillary(context, what, a, x, out);
}

u32 socket_program_run(const struct socket_program *program, const struct filter_view *view,
		       struct socket *socket)
{
	const struct bpf_input input = {
		.context = view,
		.length = view->length,
		.load = load,
		.ancillary = load_ancillary,
	};

	return program->extended ? (u32)bpf_program_run(program->extended, view, socket)
				 : bpf_run(program->instructions, &input);
}

bool socket_program_cut(struct socket_program *const *place, struct packet *packet)
{
	const struct socket_program *program;
	u32 wanted = packet->length;

	rcu_read_lock();
	program = rcu_dereference(*place);
	if (unlikely(program)) {
		const struct filter_view view = filter_view_packet(packet);

		wanted = socket_program_run(program, &view, nullptr);
	}
	rcu_read_unlock();
	if (wanted < packet->length)
		packet_trim(packet, wanted);
	return wanted;
}

u32 socket_filter_run(struct socket *socket, const struct packet *packet)
{
	const struct socket_program *filter = rcu_dereference(socket->filter);
	const struct filter_view view = filter_view_packet(packet);

	return filter ? socket_program_run(filter, &view, socket) : packet->length;
}

bool socket_filter_cut_message(struct socket *socket, const void *message, u32 *length)
{
	const struct filter_view view = filter_view_message(message, *length);
	const struct socket_program *filter;
	u32 wanted = UINT32_MAX;

	rcu_read_lock();
	filter = rcu_dereference(socket->filter);
	if (filter)
		wanted = socket_program_run(filter, &view, socket);
	rcu_read_unlock();
	*length = MIN(*length, wanted);
	return wanted;
}
