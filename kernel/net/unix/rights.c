/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Handles in flight (SCM_RIGHTS), and the collection of cycles among them.
 *
 * A socket's handle may wait in a queue that only the socket itself, or others in the same position,
 * could be asked for: nobody can reach it any more, yet its handle count never becomes zero. The
 * collector finds such sockets:
 *
 * (G1) in_flight counts the handles of a socket's file that wait in queues. It changes under
 * collect_lock, together with the queue: a buffer with handles enters before it is appended and
 * leaves with its removal.
 * (G2) A candidate is a socket of which every reference is a handle in flight: refs == handles ==
 * in_flight. No program has a descriptor of it or is in a call on it, and none can get one except
 * by receiving it from a queue.
 * (G3) A candidate is reachable if a handle of it waits in the queue of something that is not a
 * candidate, or of a reachable candidate. Subtracting from each candidate's in_flight the handles
 * that wait in candidates' queues leaves the former; a walk from those finds the latter.
 * (G4) The rest is garbage: the buffers with handles leave its queues under the lock and are freed
 * after it, which closes the sockets. New handles of a garbage socket cannot appear meanwhile,
 * because nobody can receive from a garbage queue (G2).
 *
 * A listener's queue is the queues of the connections that wait to be accepted. It runs in the work
 * thread whenever a socket ends while sockets are in flight, and costs time in proportion to those.
 */
#include <core/work.h>
#include <lib/errno.h>
#include <mm/slab.h>
#include <net/unix/unix_priv.h>
#include <proc/task.h>
#include <proc/user.h>

#include <linux/resource.h>
#include <sys/socket.h>

struct spinlock unix_collect_lock = SPINLOCK_INIT(RANK_NET_PORTS);
static struct list_head flying __guarded_by(&unix_collect_lock) = LIST_INIT(flying);
static struct work collect_work;
static u32 flying_count; /* sockets in flight; read without the lock */

/* The AF_UNIX socket that a handle is of, or null. Its file lives as long as the handle. */
static struct unix_socket *unix_of_handle(const struct handle *handle)
{
	struct socket *socket;

	if (handle->object->type != &file_type)
		return nullptr;
	socket = socket_of(file_of(handle->object));
	return socket && socket->family == AF_UNIX ? unix_of(socket) : nullptr;
}

static void take_off_locked(struct unix_rights *rights) __must_hold(&unix_collect_lock)
{
	for (unsigned i = 0; i < rights->count; i++) {
		struct unix_socket *u = unix_of_handle(&rights->handles[i]);

		if (u && u->in_flight++ == 0) {
			list_add(&flying, &u->flight_node);
			WRITE_ONCE(flying_count, flying_count + 1);
		}
	}
}

void unix_rights_landed_locked(struct unix_rights *rights)
{
	for (unsigned i = 0; i < rights->count; i++) {
		struct unix_socket *u = unix_of_handle(&rights->handles[i]);

		if (u && --u->in_flight == 0) {
			list_remove(&u->flight_node);
			WRITE_ONCE(flying_count, flying_count - 1);
		}
	}
}

int unix_rights_attach(struct unix_buffer *buffer, struct socket_control *control)
{
	struct user_account *account = current_task()->account;
	struct unix_rights *rights;

	if (READ_ONCE(account->handles_in_flight) > current_limit(RLIMIT_NOFILE) &&
	    !capable(CAP_SYS_RESOURCE) && !capable(CAP_SYS_ADMIN))
		return -ETOOMANYREFS;
	rights = kmalloc(sizeof(*rights), ALLOC_USER);
	if (!rights)
		return -ENOMEM;
	user_account_hold(account);
	*rights = (struct unix_rights){ account, control->handles, control->handle_count };
	__atomic_fetch_add(&account->handles_in_flight, rights->count, __ATOMIC_RELAXED);
	control->handles = nullptr;
	control->handle_count = 0;
	spin_lock(&unix_collect_lock);
	take_off_locked(rights);
	spin_unlock(&unix_collect_lock);
	buffer->rights = rights;
	return 0;
}

static void account_end(struct unix_rights *rights)
{
	__atomic_fetch_sub(&rights->account->handles_in_flight, rights->count, __ATOMIC_RELAXED);
	user_account_put(rights->account);
	kfree(rights);
}

/* The handles have landed: nobody else sees them. */
void unix_rights_free(struct unix_rights *rights)
{
	for (unsigned i = 0; i < rights->count; i++)
		handle_drop(&rights->handles[i]);
	kfree(rights->handles);
	account_end(rights);
}

void unix_rights_deliver(struct unix_rights *rights, struct socket_control *control)
{
	control->handles = rights->handles;
	control->handle_count = rights->count;
	account_end(rights);
}

void unix_rights_detach(struct unix_socket *u, struct unix_buffer *buffer)
{
	spin_lock(&unix_collect_lock);
	unix_rights_landed_locked(buffer->rights);
	spin_lock(&u->lock);
	buffer->rights = nullptr;
	spin_unlock(&u->lock);
	spin_unlock(&unix_collect_lock);
}

void unix_rights_return(struct unix_buffer *buffer, struct socket_control *control)
{
	spin_lock(&unix_collect_lock);
	unix_rights_landed_locked(buffer->rights);
	spin_unlock(&unix_collect_lock);
	unix_rights_deliver(buffer->rights, control);
	buffer->rights = nullptr;
}

int unix_rights_copy(const struct unix_rights *rights, struct socket_control *control)
{
	struct handle *copies = kcalloc(rights->count, sizeof(*copies), 0);

	if (!copies)
		return -ENOMEM;
	spin_lock(&unix_collect_lock); /* (G2): a candidate does not get handles unseen */
	for (unsigned i = 0; i < rights->count; i++)
		handle_copy(&rights->handles[i], &copies[i]);
	spin_unlock(&unix_collect_lock);
	control->handles = copies;
	control->handle_count = rights->count;
	return 0;
}

/* --- The collector --- */

typedef void (*child_visitor)(struct unix_socket *child, struct list_head *list);

static void visit_queue(struct unix_socket *u, child_visitor visit, struct list_head *list)
{
	for (struct unix_buffer *b = u->head; b; b = b->next)
		for (unsigned i = 0; b->rights && i < b->rights->count; i++) {
			struct unix_socket *child = unix_of_handle(&b->rights->handles[i]);

			if (child && child->candidate)
				visit(child, list);
		}
}

/* Calls visit for every candidate of which a handle waits in a queue of `u`. */
static void visit_children(struct unix_socket *u, child_visitor visit, struct list_head *list)
{
	struct unix_socket *embryo;

	spin_lock(&u->lock);
	visit_queue(u, visit, list);
	list_for_each (embryo, &u->embryos, embryo_node) {
		spin_lock_nested(&embryo->lock);
		visit_queue(embryo, visit, list);
		spin_unlock(&embryo->lock);
	}
	spin_unlock(&u->lock);
}

static void count_down(struct unix_socket *child, struct list_head *list)
{
	child->reachable_count--;
}

static void reach(struct unix_socket *child, struct list_head *reached)
{
	child->candidate = false;
	list_remove(&child->candidate_node);
	list_add_tail(reached, &child->candidate_node);
}

/* (G2). The file is there as long as a handle is in flight, and so is its socket. */
static bool only_in_flight(struct unix_socket *u)
{
	const struct socket *socket = READ_ONCE(u->socket);
	const struct object *object;

	if (!socket)
		return false;
	object = &socket->file->object;
	return __atomic_load_n(&object->handles, __ATOMIC_ACQUIRE) == u->in_flight &&
	       __atomic_load_n(&object->refs, __ATOMIC_ACQUIRE) == u->in_flight;
}

/* Leaves in `garbage` the candidates that nothing reaches. */
static void find_garbage_locked(struct list_head *garbage) __must_hold(&unix_collect_lock)
{
	struct list_head reached = LIST_INIT(reached);
	struct unix_socket *u, *next;

	list_for_each (u, &flying, flight_node) {
		if (!only_in_flight(u))
			continue;
		u->candidate = true;
		u->reachable_count = u->in_flight;
		list_add_tail(garbage, &u->candidate_node);
	}
	list_for_each (u, garbage, candidate_node)
		visit_children(u, count_down, nullptr);
	list_for_each_safe (u, next, garbage, candidate_node)
		if (u->reachable_count)
			reach(u, &reached);
	while (!list_empty(&reached)) {
		u = list_first(&reached, struct unix_socket, candidate_node);
		list_remove(&u->candidate_node);
		visit_children(u, reach, &reached);
	}
}

/* Moves the buffers with handles to the front of `list`. */
static void take_rights_locked(struct unix_socket *u, struct unix_buffer **list)
	__must_hold(&unix_collect_lock)
{
	struct unix_buffer **link = &u->head, *b;

	u->tail = nullptr;
	while ((b = *link)) {
		if (!b->rights) {
			u->tail = b;
			link = &b->next;
			continue;
		}
		*link = b->next;
		u->queued--;
		unix_rights_landed_locked(b->rights);
		b->next = *list;
		*list = b;
	}
}

static void take_garbage_locked(struct unix_socket *u, struct unix_buffer **list)
	__must_hold(&unix_collect_lock)
{
	struct unix_socket *embryo;

	spin_lock(&u->lock);
	take_rights_locked(u, list);
	list_for_each (embryo, &u->embryos, embryo_node) {
		spin_lock_nested(&embryo->lock);
		take_rights_locked(embryo, list);
		spin_unlock(&embryo->lock);
	}
	spin_unlock(&u->lock);
}

static void collect(struct work *work)
{
	struct list_head garbage = LIST_INIT(garbage);
	struct unix_buffer *buffers = nullptr, *next;
	struct unix_socket *u;

	spin_lock(&unix_collect_lock);
	find_garbage_locked(&garbage);
	while (!list_empty(&garbage)) {
		u = list_first(&garbage, struct unix_socket, candidate_node);
		list_remove(&u->candidate_node);
		u->candidate = false;
		take_garbage_locked(u, &buffers);
	}
	spin_unlock(&unix_collect_lock);
	for (; buffers; buffers = next) {
		next = buffers->next;
		unix_buffer_free(buffers);
	}
}

void unix_collect_soon(void)
{
	if (READ_ONCE(flying_count))
		work_queue(&collect_work);
}

void unix_rights_init(void)
{
	work_init(&collect_work, collect);
}
