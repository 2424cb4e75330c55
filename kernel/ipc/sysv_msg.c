/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System V message queues: a list of typed messages in the order in which they came. Who has to wait looks again
 * whenever something was sent, received, or the queue was removed.
 */
#include <core/rcu.h>
#include <ipc/sysv_priv.h>
#include <lib/errno.h>
#include <lib/list.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <obj/credentials.h>
#include <proc/pid_namespace.h>
#include <proc/task.h>

#include <linux/stat.h>

struct message {
	struct list_head node;
	long type;
	size_t size;
	void *text; /* owned */
};

struct queue {
	struct sysv_object base;
	struct rcu_head rcu;
	struct sysv_waiters waiters;
	struct spinlock lock; /* RANK_SYSV_QUEUE */
	struct list_head messages __guarded_by(&lock);
	u64 bytes __guarded_by(&lock), count __guarded_by(&lock), bytes_max __guarded_by(&lock);
	s64 sent __guarded_by(&lock), received __guarded_by(&lock), changed __guarded_by(&lock);
	int sender __guarded_by(&lock), receiver __guarded_by(&lock); /* pids */
};

static struct sysv_table queues;
u32 msg_size_max = MSGMAX, msg_bytes_max = MSGMNB;

static struct queue *queue_of(struct sysv_object *object)
{
	return container_of(object, struct queue, base);
}

static void message_free(struct message *m)
{
	kfree(m->text);
	kfree(m);
}

static void queue_free(struct rcu_head *head)
{
	kfree(container_of(head, struct queue, rcu));
}

/* Nobody else has it any more when the last reference goes. */
static void queue_put(struct queue *q) __no_lock_analysis
{
	struct message *m, *next;

	if (!sysv_put(&q->base))
		return;
	list_for_each_safe (m, next, &q->messages, node)
		message_free(m);
	rcu_call(&q->rcu, queue_free);
}

static struct queue *queue_new(void) __no_lock_analysis
{
	struct queue *q = kzalloc(sizeof(*q), 0);

	if (!q)
		return nullptr;
	spin_init(&q->lock, RANK_SYSV_QUEUE);
	list_init(&q->messages);
	wait_queue_init(&q->waiters.queue);
	q->bytes_max = READ_ONCE(msg_bytes_max);
	q->changed = sysv_now();
	return q;
}

static int create_locked(int key, u32 flags) __must_hold(&queues.lock)
{
	struct queue *q = queue_new();
	int id;

	if (!q)
		return -ENOMEM;
	id = sysv_add_locked(&queues, &q->base, key, flags);
	if (id < 0)
		kfree(q);
	return id;
}

int msg_get(int key, u32 flags)
{
	struct sysv_object *found;

	mutex_guard(&queues.lock);
	found = key == IPC_PRIVATE ? nullptr : sysv_find_key_locked(&queues, key);
	if (found)
		return sysv_reuse(found, flags);
	return key == IPC_PRIVATE || (flags & IPC_CREAT) ? create_locked(key, flags) : -ENOENT;
}

/* Drops the lock until the queue has changed. The caller holds a reference. */
static int wait_for_change(struct queue *q) __must_hold(&q->lock)
{
	u32 seen = sysv_changes(&q->waiters);
	int error;

	spin_unlock(&q->lock);
	error = sysv_wait(&q->base, &q->waiters, seen, NO_DEADLINE);
	spin_lock(&q->lock);
	return error == -ERESTARTSYS ? -ERESTARTNOHAND : error;
}

/* Finds a queue for sending or receiving and holds it. */
static int queue_get(int id, u32 permission, struct queue **out)
{
	struct sysv_object *object;
	int error = sysv_get(&queues, id, permission, &object);

	if (!error)
		*out = queue_of(object);
	return error;
}

static int put_locked(struct queue *q, struct message *m, u32 flags) __must_hold(&q->lock)
{
	int error = 0;

	while (!error && (q->bytes + m->size > q->bytes_max || q->count >= q->bytes_max))
		error = flags & IPC_NOWAIT ? -EAGAIN : wait_for_change(q);
	if (error)
		return error;
	list_add_tail(&q->messages, &m->node);
	q->bytes += m->size;
	q->count++;
	q->sent = sysv_now();
	q->sender = current_process()->pid;
	return 0;
}

static int send(int id, struct message *m, u32 flags)
{
	struct queue *q;
	int error = queue_get(id, S_IWUSR, &q);

	if (error)
		return error;
	spin_lock(&q->lock);
	error = put_locked(q, m, flags);
	spin_unlock(&q->lock);
	if (!error)
		sysv_changed(&q->waiters);
	queue_put(q);
	return error;
}

int msg_send(int id, long type, void *text, size_t size, u32 flags)
{
	struct message *m;
	int error;

	if (size > READ_ONCE(msg_size_max) || type < 1)
		return -EINVAL;
	m = kmalloc(sizeof(*m), 0);
	if (!m)
		return -ENOMEM;
	*m = (struct message){ .type = type, .size = size, .text = text };
	error = send(id, m, flags);
	if (error)
		kfree(m);
	return error;
}

/* The message that msgrcv(2) with this type takes; null: none. */
static struct message *choose_locked(struct queue *q, long type, u32 flags) __must_hold(&q->lock)
{
	struct message *m, *best = nullptr;
	/* The most negative number has no positive counterpart. */
	long limit = type == INT64_MIN ? INT64_MAX : -type;

	list_for_each (m, &q->messages, node) {
		if (type == 0 || (type > 0 && (m->type == type) != !!(flags & MSG_EXCEPT)))
			return m;
		if (type < 0 && m->type <= limit && (!best || m->type < best->type))
			best = m;
	}
	return best;
}

static int take_locked(struct queue *q, long type, size_t size, u32 flags, struct message **out)
	__must_hold(&q->lock)
{
	struct message *m = nullptr;
	int error = 0;

	while (!error && !(m = choose_locked(q, type, flags)))
		error = flags & IPC_NOWAIT ? -ENOMSG : wait_for_change(q);
	if (!error && m->size > size && !(flags & MSG_NOERROR))
		error = -E2BIG;
	if (error)
		return error;
	list_remove(&m->node);
	q->bytes -= m->size;
	q->count--;
	q->received = sysv_now();
	q->receiver = current_process()->pid;
	*out = m;
	return 0;
}

/* MSG_COPY: a copy of the message at place `index`, which stays. */
static int copy_locked(struct queue *q, long index, size_t size, u32 flags, struct message **out)
	__must_hold(&q->lock)
{
	struct message *m, *found = nullptr, *copy;
	void *text;

	list_for_each (m, &q->messages, node) {
		if (index-- == 0)
			found = m;
	}
	if (!found || (found->size > size && !(flags & MSG_NOERROR)))
		return found ? -E2BIG : -ENOMSG;
	copy = kmalloc(sizeof(*copy), ALLOC_ATOMIC);
	text = kmalloc(MAX(found->size, (size_t)1), ALLOC_ATOMIC);
	if (!copy || !text) {
		kfree(copy);
		kfree(text);
		return -ENOMEM;
	}
	*copy = *found;
	copy->text = text;
	memcpy(text, found->text, found->size);
	*out = copy;
	return 0;
}

static int receive(int id, long type, size_t size, u32 flags, struct message **out)
{
	struct queue *q;
	int error = queue_get(id, S_IRUSR, &q);

	if (error)
		return error;
	spin_lock(&q->lock);
	error = flags & MSG_COPY ? copy_locked(q, type, size, flags, out)
				 : take_locked(q, type, size, flags, out);
	spin_unlock(&q->lock);
	if (!error && !(flags & MSG_COPY))
		sysv_changed(&q->waiters);
	queue_put(q);
	return error;
}

ssize_t msg_receive(int id, long type, size_t size, u32 flags, long *out_type, void **text)
{
	struct message *m;
	ssize_t length;
	int error;

	if (flags & MSG_COPY && (flags & MSG_EXCEPT || !(flags & IPC_NOWAIT)))
		return -EINVAL;
	error = receive(id, type, size, flags, &m);
	if (error)
		return error;
	*out_type = m->type;
	*text = m->text;
	length = (ssize_t)m->size;
	kfree(m);
	return length;
}

int msg_stat(int id, int command, struct msqid64_ds *out)
{
	struct sysv_object *object;
	struct queue *q;
	int error;

	mutex_guard(&queues.lock);
	error = sysv_find_to_stat_locked(&queues, id, command, MSG_STAT_ANY, &object);
	if (error)
		return error;
	q = queue_of(object);
	spin_guard(&q->lock);
	*out = (struct msqid64_ds){
		.msg_stime = q->sent,
		.msg_rtime = q->received,
		.msg_ctime = q->changed,
		.msg_cbytes = q->bytes,
		.msg_qnum = q->count,
		.msg_qbytes = q->bytes_max,
		.msg_lspid = pid_to_user(q->sender),
		.msg_lrpid = pid_to_user(q->receiver),
	};
	sysv_permissions_to(object, &out->msg_perm);
	return command == IPC_STAT ? 0 : object->id;
}

int msg_set(int id, const struct msqid64_ds *from)
{
	struct sysv_object *object;
	struct queue *q;
	int error;

	mutex_guard(&queues.lock);
	error = sysv_find_owned_locked(&queues, id, &object);
	if (!error && from->msg_qbytes > READ_ONCE(msg_bytes_max) && !capable(CAP_SYS_RESOURCE))
		error = -EPERM;
	if (error)
		return error;
	q = queue_of(object);
	sysv_permissions_from(object, &from->msg_perm);
	spin_lock(&q->lock);
	q->bytes_max = from->msg_qbytes;
	q->changed = sysv_now();
	spin_unlock(&q->lock);
	sysv_changed(&q->waiters);
	return 0;
}

/* Takes a queue out; the lock is held. */
static void discard(struct sysv_object *object) __no_lock_analysis
{
	sysv_take_out_locked(&queues, object);
	sysv_changed(&queue_of(object)->waiters);
	queue_put(queue_of(object));
}

int msg_remove(int id)
{
	struct sysv_object *object;
	int error;

	mutex_guard(&queues.lock);
	error = sysv_find_owned_locked(&queues, id, &object);
	if (error)
		return error;
	discard(object);
	return 0;
}

static void add_usage(struct queue *q, struct msginfo *out)
{
	spin_guard(&q->lock);
	out->msgmap += (int)q->count;
	out->msgtql += (int)q->bytes;
}

int msg_limits(int command, struct msginfo *out)
{
	mutex_guard(&queues.lock);
	*out = (struct msginfo){ .msgpool = MSGPOOL,
				 .msgmap = MSGMAP,
				 .msgmax = (int)msg_size_max,
				 .msgmnb = (int)msg_bytes_max,
				 .msgmni = MSGMNI,
				 .msgssz = MSGSSZ,
				 .msgtql = MSGTQL,
				 .msgseg = (unsigned short)MSGSEG };
	if (command == MSG_INFO) {
		const struct sysv_slots *slots = sysv_slots(&queues);

		out->msgpool = (int)slots->used;
		out->msgmap = out->msgtql = 0;
		for (unsigned i = 0; i < slots->size; i++) {
			if (slots->objects[i])
				add_usage(queue_of(slots->objects[i]), out);
		}
	}
	return sysv_highest_locked(&queues);
}

void msg_init(void)
{
	sysv_table_init(&queues, SYSV_QUEUES, MSGMNI, discard);
}
