/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Buffers of AF_UNIX: what was sent and not yet received, and who is charged for it. */
#include <lib/errno.h>
#include <mm/slab.h>
#include <net/unix/unix_priv.h>
#include <proc/task.h>

#include <linux/eventpoll.h>

int unix_buffer_create(struct unix_socket *u, struct iter *it, size_t size,
		       const struct socket_control *control, struct unix_buffer **out)
{
	u32 charge = (u32)(sizeof(struct unix_buffer) + size);
	struct unix_buffer *buffer;

	if (READ_ONCE(u->send_used) >= u->send_limit)
		return -EAGAIN;
	buffer = kvmalloc(charge, ALLOC_USER);
	if (!buffer)
		return -ENOMEM;
	if (iter_copy_from(it, buffer->data, size) < size) {
		kvfree(buffer);
		return -EFAULT;
	}
	buffer->next = nullptr;
	buffer->rights = nullptr;
	buffer->offset = 0;
	buffer->length = (u32)size;
	buffer->charge = charge;
	buffer->urgent = buffer->seen = false;
	if (control && control->has_credentials) {
		buffer->pid = control->pid;
		buffer->uid = control->uid;
		buffer->gid = control->gid;
	} else {
		const struct credentials *own = current_credentials();
		struct task *task = current_task();

		buffer->pid = task ? task->process->pid : 0;
		buffer->uid = own->euid;
		buffer->gid = own->egid;
	}
	__atomic_fetch_add(&u->send_used, charge, __ATOMIC_RELAXED);
	unix_get(u);
	buffer->from = u;
	*out = buffer;
	return 0;
}

void unix_buffer_free(struct unix_buffer *buffer)
{
	struct unix_socket *from = buffer->from;
	u32 before = __atomic_fetch_sub(&from->send_used, buffer->charge, __ATOMIC_RELEASE);

	/* Told when it becomes writable, see unix_is_writable. */
	if (unlikely(before * 4ull > from->send_limit &&
		     (before - buffer->charge) * 4ull <= from->send_limit))
		wake_up(&from->waiters, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
	if (unlikely(buffer->rights))
		unix_rights_free(buffer->rights);
	unix_put(from);
	kvfree(buffer);
}

void unix_buffer_discard(struct unix_buffer *buffer)
{
	if (buffer->rights) {
		spin_lock(&unix_collect_lock);
		unix_rights_landed_locked(buffer->rights);
		spin_unlock(&unix_collect_lock);
	}
	unix_buffer_free(buffer);
}

bool unix_has_urgent(struct unix_socket *u)
{
	bool found = false;

	spin_lock(&u->lock);
	for (struct unix_buffer *b = u->head; b && !found; b = b->next)
		found = b->urgent;
	spin_unlock(&u->lock);
	return found;
}

void unix_queue_append_locked(struct unix_socket *u, struct unix_buffer *buffer)
{
	if (u->tail)
		u->tail->next = buffer;
	else
		__atomic_store_n(&u->head, buffer, __ATOMIC_RELEASE);
	u->tail = buffer;
	u->queued++;
}

static void unlink_locked(struct unix_socket *u, struct unix_buffer *buffer) __must_hold(&u->lock)
{
	struct unix_buffer **link = &u->head, *before = nullptr;

	while (*link != buffer) {
		before = *link;
		link = &before->next;
	}
	WRITE_ONCE(*link, buffer->next);
	if (u->tail == buffer)
		u->tail = before;
	u->queued--;
}

void unix_queue_remove(struct unix_socket *u, struct unix_buffer *buffer)
{
	if (unlikely(buffer->rights)) {
		spin_lock(&unix_collect_lock);
		unix_rights_landed_locked(buffer->rights);
		spin_lock(&u->lock);
		unlink_locked(u, buffer);
		spin_unlock(&u->lock);
		spin_unlock(&unix_collect_lock);
		return;
	}
	spin_lock(&u->lock);
	unlink_locked(u, buffer);
	spin_unlock(&u->lock);
}

struct unix_buffer *unix_queue_take_all(struct unix_socket *u)
{
	struct unix_buffer *all;

	if (!READ_ONCE(u->head))
		return nullptr;
	spin_lock(&unix_collect_lock);
	spin_lock(&u->lock);
	all = u->head;
	u->head = u->tail = nullptr;
	u->queued = 0;
	spin_unlock(&u->lock);
	for (struct unix_buffer *b = all; b; b = b->next)
		if (b->rights)
			unix_rights_landed_locked(b->rights);
	spin_unlock(&unix_collect_lock);
	return all;
}

struct unix_buffer *unix_queue_at(struct unix_buffer *b, s32 offset, u32 *skip)
{
	u32 left = (u32)MAX(offset, 0);

	if (offset >= 0)
		for (; b && left >= b->length - b->offset && (left || b->seen);
		     b = READ_ONCE(b->next))
			left -= b->length - b->offset;
	*skip = left;
	return b;
}

bool unix_peek_ready(struct socket *socket)
{
	struct unix_socket *u = unix_of(socket);
	bool found;
	u32 skip;

	spin_lock(&u->lock);
	found = unix_queue_at(u->head, READ_ONCE(socket->peek_offset), &skip);
	spin_unlock(&u->lock);
	return found || READ_ONCE(socket->error) || (READ_ONCE(u->shutdown) & SOCKET_SHUT_RECEIVE);
}

u32 unix_queue_bytes(struct unix_socket *u, bool first_only)
{
	u32 total = 0;

	spin_lock(&u->lock);
	for (struct unix_buffer *b = u->head; b; b = first_only ? nullptr : b->next)
		total += b->length - b->offset;
	spin_unlock(&u->lock);
	return total;
}

ssize_t unix_nothing_there(struct socket *socket)
{
	int error = socket_take_error(socket);

	if (error)
		return error;
	return READ_ONCE(unix_of(socket)->shutdown) & SOCKET_SHUT_RECEIVE ? 0 : -EAGAIN;
}
