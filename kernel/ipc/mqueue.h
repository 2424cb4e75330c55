/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * POSIX message queues (mq_overview(7)): the queue itself. Names, permissions and files are fs/mqueue's.
 */
#pragma once

#include <core/wait.h>
#include <lib/rbtree.h>
#include <lib/types.h>
#include <obj/file.h>

#include <linux/mqueue.h>
#include <linux/signal.h>

struct process;
struct user_account;
struct mqueue_message;

struct mqueue {
	struct wait_queue waiters;		     /* of all open files */
	struct spinlock lock;			     /* RANK_TIMER_USER */
	u64 count_max, size_max;		     /* constant */
	u64 charged;				     /* bytes of RLIMIT_MSGQUEUE; constant */
	struct user_account *account;		     /* charged for them; holds a reference */
	struct rb_tree messages __guarded_by(&lock); /* highest priority first, then oldest */
	u64 count __guarded_by(&lock), bytes __guarded_by(&lock);
	u32 receivers __guarded_by(&lock); /* waiting in a receive */
	struct process *
		notified __guarded_by(&lock); /* by mq_notify(3); holds a reference, or null */
	struct sigevent event __guarded_by(&lock);
	struct file *
		socket __guarded_by(&lock); /* SIGEV_THREAD: gets the cookie; holds a reference */
	u8 cookie[NOTIFY_COOKIE_LEN] __guarded_by(&lock);
};

/* What net registers at boot for SIGEV_THREAD: is the file a netlink socket; append a message for its reader. May sleep. */
struct mqueue_socket_ops {
	bool (*is_netlink)(struct file *file);
	void (*tell)(struct file *socket, const void *data, size_t size);
};
extern const struct mqueue_socket_ops *mqueue_socket;

/* /proc/sys/fs/mqueue */
extern u32 mqueue_messages_max, mqueue_message_size_max, mqueue_messages_default,
	mqueue_message_size_default;

/*
 * Prepares a queue; attributes null: the defaults. -EINVAL (attributes out of their limits), -EMFILE (RLIMIT_MSGQUEUE),
 * -ENOMEM. mqueue_destroy() drops what it holds, messages too.
 */
[[nodiscard]] int mqueue_create(struct mqueue *queue, const struct mq_attr *attributes);
void mqueue_destroy(struct mqueue *queue);

/* A message of `size` bytes to be filled in by the caller, then sent or freed. -ENOMEM. */
[[nodiscard]] int mqueue_message_create(size_t size, struct mqueue_message **out);
void *mqueue_message_text(struct mqueue_message *message);
size_t mqueue_message_size(const struct mqueue_message *message);
u32 mqueue_message_priority(const struct mqueue_message *message);
void mqueue_message_free(struct mqueue_message *message);

/*
 * mq_send(3), mq_receive(3) through an open file of the queue: wait until `deadline_ns` (monotonic) unless the file is
 * non-blocking. A message moves in or out on success. -EAGAIN, -ETIMEDOUT, -ERESTARTSYS.
 */
[[nodiscard]] int mqueue_send(struct file *file, struct mqueue *queue, u32 priority,
			      struct mqueue_message *message, u64 deadline_ns);
[[nodiscard]] int mqueue_receive(struct file *file, struct mqueue *queue, u64 deadline_ns,
				 struct mqueue_message **out);

/*
 * mq_notify(3): event null ends the registration of the current process. With SIGEV_THREAD `socket` gets the cookie, its last byte NOTIFY_WOKENUP
 * or NOTIFY_REMOVED (uapi linux/mqueue.h); else they are null. -EBUSY, -EINVAL.
 */
[[nodiscard]] int mqueue_notify(struct mqueue *queue, const struct sigevent *event,
				struct file *socket, const u8 *cookie);
/* A descriptor was closed by the current process: its registration ends. */
void mqueue_flush(struct mqueue *queue);

void mqueue_attributes(struct mqueue *queue, struct mq_attr *out);
/* EPOLL* bits. */
u32 mqueue_ready(struct mqueue *queue);
/* What reading the file shows. Returns the length. */
size_t mqueue_status(struct mqueue *queue, char *buf, size_t size);
