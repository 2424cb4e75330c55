/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * POSIX message queues. Messages are copied from and to user memory outside the lock; a sender that finds the queue full and
 * a receiver that finds it empty wait on the queue like any reader of a file, so poll and O_NONBLOCK need nothing more.
 *
 * (Q1) A queue holds at most count_max messages of at most size_max bytes; what that may take is charged to its maker
 *      (RLIMIT_MSGQUEUE) when it is made, so sending never fails for a limit.
 * (Q2) A registration of mq_notify ends when it is used: by a message that arrives in the empty queue while no receiver waits.
 */
#include <core/time.h>
#include <ipc/mqueue.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <proc/task.h>
#include <proc/user.h>

#include <linux/capability.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>

/* Limits that privileged users have, mq_overview(7). */
#define MESSAGES_HARD_MAX 65536u
#define MESSAGE_SIZE_HARD_MAX (16u << 20)
/* What a message takes besides its text, as getrlimit(2) counts it: a header, and a leaf of a tree of priorities. */
#define MESSAGE_OVERHEAD 48u
#define PRIORITY_OVERHEAD 48u

const struct mqueue_socket_ops *mqueue_socket;
u32 mqueue_messages_max = 10, mqueue_message_size_max = 8192, mqueue_messages_default = 10,
    mqueue_message_size_default = 8192;

struct mqueue_message {
	struct rb_node node;
	size_t size;
	u32 priority;
	char text[] __counted_by(size);
};

int mqueue_message_create(size_t size, struct mqueue_message **out)
{
	*out = kvmalloc(sizeof(**out) + size, 0);
	if (!*out)
		return -ENOMEM;
	(*out)->size = size;
	return 0;
}

void *mqueue_message_text(struct mqueue_message *message)
{
	return message->text;
}

size_t mqueue_message_size(const struct mqueue_message *message)
{
	return message->size;
}

u32 mqueue_message_priority(const struct mqueue_message *message)
{
	return message->priority;
}

void mqueue_message_free(struct mqueue_message *message)
{
	kvfree(message);
}

static int check_attributes(const struct mq_attr *a)
{
	bool free = capable(CAP_SYS_RESOURCE);
	u64 count_max = free ? MESSAGES_HARD_MAX : READ_ONCE(mqueue_messages_max);
	u64 size_max = free ? MESSAGE_SIZE_HARD_MAX : READ_ONCE(mqueue_message_size_max);

	if (a->mq_maxmsg <= 0 || a->mq_msgsize <= 0)
		return -EINVAL;
	return (u64)a->mq_maxmsg > count_max || (u64)a->mq_msgsize > size_max ? -EINVAL : 0;
}

int mqueue_create(struct mqueue *q, const struct mq_attr *attributes)
{
	struct mq_attr usual = {
		.mq_maxmsg = (long)MIN(mqueue_messages_max, mqueue_messages_default),
		.mq_msgsize = (long)MIN(mqueue_message_size_max, mqueue_message_size_default),
	};
	const struct mq_attr *a = attributes ? attributes : &usual;
	u64 count, total;
	int result = attributes ? check_attributes(a) : 0;

	if (result)
		return result;
	count = (u64)a->mq_maxmsg;
	q->charged = count * ((u64)a->mq_msgsize + MESSAGE_OVERHEAD) +
		     MIN(count, (u64)MQ_PRIO_MAX) * PRIORITY_OVERHEAD;
	result = user_account_get(current_credentials()->uid, &q->account);
	if (result)
		return result;
	total = __atomic_add_fetch(&q->account->mqueue_bytes, q->charged, __ATOMIC_RELAXED);
	if (total > current_limit(RLIMIT_MSGQUEUE)) {
		__atomic_fetch_sub(&q->account->mqueue_bytes, q->charged, __ATOMIC_RELAXED);
		user_account_put(q->account);
		return -EMFILE;
	}
	q->count_max = count;
	q->size_max = (u64)a->mq_msgsize;
	wait_queue_init(&q->waiters);
	spin_init(&q->lock, RANK_TIMER_USER);
	return 0;
}

static struct mqueue_message *first_locked(struct mqueue *q) __must_hold(&q->lock)
{
	struct rb_node *node = rb_first(&q->messages);

	return node ? rb_entry(node, struct mqueue_message, node) : nullptr;
}

static void take_out_locked(struct mqueue *q, struct mqueue_message *m) __must_hold(&q->lock)
{
	rb_erase(&q->messages, &m->node, nullptr);
	q->count--;
	q->bytes -= m->size;
}

/* A registration that was ended: whom to tell, and what. */
struct ended {
	struct process *process; /* with its reference; null: there was none */
	struct file *socket;	 /* the same */
	siginfo_t info;		 /* si_signo 0: no signal */
	u8 cookie[NOTIFY_COOKIE_LEN];
};

/* `code`: NOTIFY_WOKENUP, or NOTIFY_REMOVED, which no signal tells. */
static void end_registration_locked(struct mqueue *q, u8 code, struct ended *out)
	__must_hold(&q->lock)
{
	*out = (struct ended){ .process = q->notified, .socket = q->socket };
	if (!q->notified)
		return;
	out->info = (siginfo_t){ .si_code = SI_MESGQ };
	if (code == NOTIFY_WOKENUP && q->event.sigev_notify == SIGEV_SIGNAL)
		out->info.si_signo = q->event.sigev_signo;
	out->info.si_value = q->event.sigev_value;
	memcpy(out->cookie, q->cookie, sizeof(out->cookie));
	out->cookie[NOTIFY_COOKIE_LEN - 1] = code;
	q->notified = nullptr;
	q->socket = nullptr;
}

static void tell(struct ended *ended)
{
	if (!ended->process)
		return;
	if (ended->info.si_signo) {
		ended->info.si_pid = current_process()->pid;
		ended->info.si_uid = current_credentials()->uid;
		(void)signal_send_process(ended->process, &ended->info);
	}
	if (ended->socket) {
		mqueue_socket->tell(ended->socket, ended->cookie, sizeof(ended->cookie));
		file_put(ended->socket);
	}
	process_put(ended->process);
}

void mqueue_destroy(struct mqueue *q)
{
	struct mqueue_message *m;
	struct ended ended;

	spin_lock(&q->lock);
	while ((m = first_locked(q))) {
		take_out_locked(q, m);
		spin_unlock(&q->lock);
		mqueue_message_free(m);
		spin_lock(&q->lock);
	}
	end_registration_locked(q, NOTIFY_REMOVED, &ended);
	spin_unlock(&q->lock);
	tell(&ended);
	__atomic_fetch_sub(&q->account->mqueue_bytes, q->charged, __ATOMIC_RELAXED);
	user_account_put(q->account);
}

static void insert_locked(struct mqueue *q, struct mqueue_message *m) __must_hold(&q->lock)
{
	struct rb_node **link = &q->messages.root, *parent = nullptr;

	while (*link) {
		parent = *link;
		link = m->priority > rb_entry(parent, struct mqueue_message, node)->priority
			       ? &parent->left
			       : &parent->right;
	}
	rb_insert(&q->messages, &m->node, parent, link, nullptr);
	q->count++;
	q->bytes += m->size;
}

static int try_send(struct mqueue *q, struct mqueue_message *m)
{
	struct ended ended = {};

	spin_lock(&q->lock);
	if (q->count >= q->count_max) {
		spin_unlock(&q->lock);
		return -EAGAIN;
	}
	if (!q->count && !q->receivers)
		end_registration_locked(q, NOTIFY_WOKENUP, &ended);
	insert_locked(q, m);
	spin_unlock(&q->lock);
	wake_up(&q->waiters, EPOLLIN | EPOLLRDNORM);
	tell(&ended);
	return 0;
}

int mqueue_send(struct file *file, struct mqueue *q, u32 priority, struct mqueue_message *m,
		u64 deadline_ns)
{
	int result;

	if (m->size > q->size_max)
		return -EMSGSIZE;
	m->priority = priority;
	while ((result = try_send(q, m)) == -EAGAIN && !(file->flags & O_NONBLOCK)) {
		result = object_wait(&file->object, EPOLLOUT, deadline_ns);
		if (result)
			break;
	}
	return result;
}

/* `waited`: the caller is counted in q->receivers; counts it if it has to wait. */
static int try_receive(struct mqueue *q, bool may_wait, bool *waited, struct mqueue_message **out)
{
	spin_lock(&q->lock);
	*out = first_locked(q);
	if (*out)
		take_out_locked(q, *out);
	if (*waited && *out)
		q->receivers--;
	else if (!*waited && !*out && may_wait)
		q->receivers++;
	*waited = !*out && may_wait;
	spin_unlock(&q->lock);
	if (!*out)
		return -EAGAIN;
	wake_up(&q->waiters, EPOLLOUT | EPOLLWRNORM);
	return 0;
}

int mqueue_receive(struct file *file, struct mqueue *q, u64 deadline_ns,
		   struct mqueue_message **out)
{
	bool may_wait = !(file->flags & O_NONBLOCK), waited = false;
	int result;

	while ((result = try_receive(q, may_wait, &waited, out)) == -EAGAIN && may_wait) {
		result = object_wait(&file->object, EPOLLIN, deadline_ns);
		if (result)
			break;
	}
	if (waited) {
		spin_lock(&q->lock);
		q->receivers--;
		spin_unlock(&q->lock);
	}
	return result;
}

static int check_event(const struct sigevent *event, struct file *socket)
{
	switch (event->sigev_notify) {
	case SIGEV_NONE:
		return 0;
	case SIGEV_SIGNAL:
		return event->sigev_signo < 0 || event->sigev_signo > SIGNAL_COUNT ? -EINVAL : 0;
	case SIGEV_THREAD:
		return socket && mqueue_socket->is_netlink(socket) ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}

int mqueue_notify(struct mqueue *q, const struct sigevent *event, struct file *socket,
		  const u8 *cookie)
{
	struct process *self = current_process();
	struct ended old = {};
	int result = event ? check_event(event, socket) : 0;

	if (result)
		return result;
	spin_lock(&q->lock);
	if (!event) {
		if (q->notified == self)
			end_registration_locked(q, NOTIFY_REMOVED, &old);
	} else if (q->notified) {
		result = -EBUSY;
	} else {
		object_get(&self->object);
		q->notified = self;
		q->event = *event;
		if (socket) {
			file_get(socket);
			q->socket = socket;
			memcpy(q->cookie, cookie, sizeof(q->cookie));
		}
	}
	spin_unlock(&q->lock);
	tell(&old);
	return result;
}

void mqueue_flush(struct mqueue *q)
{
	if (current_task())
		(void)mqueue_notify(q, nullptr, nullptr, nullptr);
}

void mqueue_attributes(struct mqueue *q, struct mq_attr *out)
{
	spin_guard(&q->lock);
	*out = (struct mq_attr){ .mq_maxmsg = (long)q->count_max,
				 .mq_msgsize = (long)q->size_max,
				 .mq_curmsgs = (long)q->count };
}

u32 mqueue_ready(struct mqueue *q)
{
	spin_guard(&q->lock);
	return (q->count ? EPOLLIN | EPOLLRDNORM : 0) |
	       (q->count < q->count_max ? EPOLLOUT | EPOLLWRNORM : 0);
}

size_t mqueue_status(struct mqueue *q, char *buf, size_t size)
{
	struct process *p;
	bool signals;

	spin_guard(&q->lock);
	p = q->notified;
	signals = p && q->event.sigev_notify == SIGEV_SIGNAL;
	return (size_t)scnprintf(buf, size,
				 "QSIZE:%-10llu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n",
				 (unsigned long long)q->bytes, p ? q->event.sigev_notify : 0,
				 signals ? q->event.sigev_signo : 0, p ? p->pid : 0);
}
