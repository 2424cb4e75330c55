/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests: building, sending, waiting, giving up, and the end of a connection. The theory is in fuse_priv.h. */
#include <fs/fuse/fuse_priv.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <proc/signal.h>
#include <proc/task.h>

#include <linux/eventpoll.h>

int fuse_connection_create(struct fuse_connection **out)
	__no_lock_analysis /* nobody else knows it yet */
{
	struct fuse_connection *c = kzalloc(sizeof(*c), 0);

	if (!c)
		return -ENOMEM;
	c->refs = 1;
	spin_init(&c->lock, RANK_FUSE);
	spin_init(&c->inode_lock, RANK_FUSE);
	list_init(&c->pending);
	for (unsigned i = 0; i < FUSE_BUCKETS; i++) {
		list_init(&c->processing[i]);
		list_init(&c->by_node[i]);
	}
	wait_queue_init(&c->readable);
	wait_queue_init(&c->init_waiters);
	*out = c;
	return 0;
}

void fuse_connection_get(struct fuse_connection *c)
{
	__atomic_fetch_add(&c->refs, 1, __ATOMIC_RELAXED);
}

void fuse_connection_put(struct fuse_connection *c)
{
	if (__atomic_fetch_sub(&c->refs, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	if (c->channel)
		handle_drop(&c->channel_handle);
	kfree(c);
}

bool fuse_aborted(struct fuse_connection *c)
{
	bool aborted;

	spin_lock(&c->lock);
	aborted = c->aborted;
	spin_unlock(&c->lock);
	return aborted;
}

/* --- requests --- */

int fuse_request_create(struct fuse_connection *c, u32 opcode, u64 nodeid, u32 in, u32 out,
			struct fuse_request **result)
{
	struct fuse_request *r = kzalloc(sizeof(*r), 0);
	const struct credentials *who = current_credentials();

	if (!r)
		return -ENOMEM;
	r->refs = 1;
	r->in_size = (u32)sizeof(struct fuse_in_header) + in;
	r->out_capacity = out;
	list_init(&r->node);
	list_init(&r->same_node);
	wait_queue_init(&r->waiters);
	r->in = kvmalloc(r->in_size, ALLOC_ZERO);
	r->out = out ? kvmalloc(out, ALLOC_ZERO) : nullptr;
	if (!r->in || (out && !r->out)) {
		fuse_request_put(r);
		return -ENOMEM;
	}
	*fuse_header(r) = (struct fuse_in_header){
		.len = r->in_size,
		.opcode = opcode,
		.unique = __atomic_add_fetch(&c->last_unique, 2, __ATOMIC_RELAXED),
		.nodeid = nodeid,
		.uid = who->fsuid,
		.gid = who->fsgid,
		.pid = current_task() ? (u32)current_process()->pid : 0,
	};
	*result = r;
	return 0;
}

void fuse_request_put(struct fuse_request *r)
{
	if (__atomic_fetch_sub(&r->refs, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	kvfree(r->in);
	kvfree(r->out);
	kfree(r);
}

static void queue_locked(struct fuse_connection *c, struct fuse_request *r) __must_hold(&c->lock)
{
	__atomic_fetch_add(&r->refs, 1, __ATOMIC_RELAXED);
	list_add_tail(&c->pending, &r->node);
	if (!r->no_answer)
		list_add_tail(&c->by_node[fuse_header(r)->nodeid % FUSE_BUCKETS], &r->same_node);
}

void fuse_request_unlist_locked(struct fuse_connection *c, struct fuse_request *r)
{
	list_remove(&r->node);
	list_remove(&r->same_node);
}

static int enqueue(struct fuse_connection *c, struct fuse_request *r);

/* What waited for this one (F5). */
static void send_after(struct fuse_connection *c, struct fuse_request *r)
{
	while (r) {
		struct fuse_request *next = r->after;

		r->after = nullptr;
		(void)enqueue(c, r);
		fuse_request_put(r);
		r = next;
	}
}

/* It is in no list any more. */
void fuse_request_finish(struct fuse_connection *c, struct fuse_request *r, int error)
{
	struct fuse_request *after = r->after;

	r->error = error;
	if (unlikely(fuse_header(r)->opcode == FUSE_INIT))
		fuse_init_answered(c, r);
	__atomic_store_n(&r->done, true, __ATOMIC_RELEASE);
	wake_up(&r->waiters, 0);
	fuse_request_put(r);
	send_after(c, after);
}

/* Has it wait for a request about its node that is unanswered, if there is one. */
static bool wait_behind_locked(struct fuse_connection *c, struct fuse_request *forget)
	__must_hold(&c->lock)
{
	u64 nodeid = fuse_header(forget)->nodeid;
	struct fuse_request *r;

	list_for_each (r, &c->by_node[nodeid % FUSE_BUCKETS], same_node) {
		if (fuse_header(r)->nodeid != nodeid)
			continue;
		__atomic_fetch_add(&forget->refs, 1, __ATOMIC_RELAXED);
		forget->after = r->after;
		r->after = forget;
		return true;
	}
	return false;
}

/* Now, or for FORGET later (F5). 0 or -ENOTCONN. */
static int enqueue(struct fuse_connection *c, struct fuse_request *r)
{
	bool aborted, forget = fuse_header(r)->opcode == FUSE_FORGET;

	spin_lock(&c->lock);
	aborted = c->aborted;
	if (!aborted && (!forget || !wait_behind_locked(c, r)))
		queue_locked(c, r);
	spin_unlock(&c->lock);
	if (!aborted)
		wake_up_some(&c->readable, EPOLLIN | EPOLLRDNORM, 1);
	return aborted ? -ENOTCONN : 0;
}

void fuse_send_no_answer(struct fuse_connection *c, struct fuse_request *r)
{
	r->no_answer = true;
	if (c->channel) {
		__atomic_fetch_add(&r->refs, 1, __ATOMIC_RELAXED);
		fuse_channel_send(c, r);
	} else {
		(void)enqueue(c, r); /* who is gone has forgotten everything */
	}
	fuse_request_put(r);
}

void fuse_send_later(struct fuse_connection *c, struct fuse_request *r)
{
	if (c->channel) {
		fuse_send_no_answer(c, r);
		return;
	}
	(void)enqueue(c, r);
	fuse_request_put(r);
}

/* Tells the server that nobody needs the answer soon. */
static void send_interrupt(struct fuse_connection *c, const struct fuse_request *of)
{
	u64 unique = ((struct fuse_in_header *)(uintptr_t)of->in)->unique;
	struct fuse_request *r;

	if (fuse_request_create(c, FUSE_INTERRUPT, 0, sizeof(struct fuse_interrupt_in), 0, &r))
		return;
	fuse_header(r)->unique = unique | 1;
	((struct fuse_interrupt_in *)fuse_arguments(r))->unique = unique;
	fuse_send_no_answer(c, r);
}

/* Takes a request back, if the server has not read it. */
static bool withdraw(struct fuse_connection *c, struct fuse_request *r)
{
	struct fuse_request *after = nullptr;
	bool gone;

	spin_lock(&c->lock);
	gone = !list_empty(&r->node) && !r->sent;
	if (gone) {
		fuse_request_unlist_locked(c, r);
		after = r->after;
	}
	spin_unlock(&c->lock);
	if (gone) {
		fuse_request_put(r);
		send_after(c, after);
	}
	return gone;
}

static bool is_done(struct fuse_request *r)
{
	return __atomic_load_n(&r->done, __ATOMIC_ACQUIRE);
}

/* A signal takes an unread request back and interrupts one that was read; a fatal one leaves it behind. */
static int wait_for_answer(struct fuse_connection *c, struct fuse_request *r)
{
	if (!wait_event_interruptible(&r->waiters, is_done(r)))
		return r->error;
	if (withdraw(c, r))
		return -EINTR;
	if (!is_done(r))
		send_interrupt(c, r);
	return wait_event_killable(&r->waiters, is_done(r)) ? -EINTR : r->error;
}

static int wait_for_init(struct fuse_connection *c)
{
	bool aborted = false;
	int error = wait_event_killable(&c->init_waiters,
					__atomic_load_n(&c->initialised, __ATOMIC_ACQUIRE) ||
						(aborted = fuse_aborted(c)));

	return error ? -EINTR : aborted ? -ENOTCONN : c->failed ? -ECONNREFUSED : 0;
}

void fuse_send_init(struct fuse_connection *c, struct fuse_request *r)
{
	if (c->channel)
		fuse_channel_send(c, r);
	else if (!enqueue(c, r))
		fuse_request_put(r);
	else
		fuse_request_finish(c, r, -ENOTCONN);
}

int fuse_send(struct fuse_connection *c, struct fuse_request *r)
{
	bool ready = __atomic_load_n(&c->initialised, __ATOMIC_ACQUIRE) && !c->failed;
	int error = likely(ready) ? 0 : wait_for_init(c);

	if (error)
		return error;
	if (c->channel) {
		__atomic_fetch_add(&r->refs, 1, __ATOMIC_RELAXED);
		fuse_channel_send(c, r);
		return r->error;
	}
	error = enqueue(c, r);
	return error ? error : wait_for_answer(c, r);
}

int fuse_call(struct fuse_connection *c, const struct fuse_call *call)
{
	struct fuse_request *r;
	u64 bit = call->opcode < 64 ? 1ull << call->opcode : 0;
	u8 *at;
	int error;

	if (__atomic_load_n(&c->unsupported, __ATOMIC_RELAXED) & bit)
		return -ENOSYS;
	error = fuse_request_create(c, call->opcode, call->nodeid,
				    call->in_size + call->text_size + call->text2_size,
				    call->out_size, &r);
	if (error)
		return error;
	r->exact = true;
	at = fuse_arguments(r);
	memcpy(at, call->in, call->in_size);
	memcpy(at + call->in_size, call->text, call->text_size);
	memcpy(at + call->in_size + call->text_size, call->text2, call->text2_size);
	error = fuse_send(c, r);
	if (!error)
		memcpy(call->out, r->out, call->out_size);
	if (error == -ENOSYS)
		__atomic_fetch_or(&c->unsupported, bit, __ATOMIC_RELAXED);
	fuse_request_put(r);
	return error;
}

/* --- the end --- */

void fuse_abort(struct fuse_connection *c)
{
	struct list_head dead = LIST_INIT(dead);

	spin_lock(&c->lock);
	c->aborted = true;
	list_splice_tail(&dead, &c->pending);
	for (unsigned i = 0; i < FUSE_BUCKETS; i++)
		list_splice_tail(&dead, &c->processing[i]);
	while (!list_empty(&dead)) {
		struct fuse_request *r = list_first(&dead, struct fuse_request, node);

		fuse_request_unlist_locked(c, r);
		spin_unlock(&c->lock);
		fuse_request_finish(c, r, -ECONNABORTED);
		spin_lock(&c->lock);
	}
	spin_unlock(&c->lock);
	wake_up(&c->init_waiters, 0);
	wake_up(&c->readable, EPOLLERR | EPOLLHUP);
}
