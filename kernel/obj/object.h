/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects: everything that a process can name by a small integer (files, pipes, processes,
 * channels, budgets).
 *
 * struct object is embedded first in each of them, with one const object_type per type.
 *
 *   refs     memory: pointers held. At 0: type->destroy(), exactly once.
 *   handles  authority: slots of pools and of messages in flight. At 0: type->closed(), exactly
 * once, before destroy; peers see hang-up there.
 *
 * (O1) refs >= handles: a handle owns one reference, a reference never implies a handle.
 * (O2) closed() and destroy() run in thread context with no lock held.
 * (O3) object_put() never recurses: objects released by a destroy are queued and drained by the
 * outermost object_put of this thread. (O4) readiness changes are announced by object_notify after
 * the state change is visible. (O5) a pool is read without a lock (H4): destroy() of a type that
 * handles can hold gives the memory back by rcu_call, with object.rcu, so that
 * object_get_unless_zero may still look at it.
 */
#pragma once

#include <core/rcu.h>
#include <core/wait.h>
#include <lib/types.h>

#include <linux/eventpoll.h>

struct derivation;
struct object;
struct untyped_origin;

struct object_type {
	const char *name;   /* as in /proc/pid/fd: "anon_inode:[eventfd]" uses it too */
	u32 default_rights; /* RIGHT_* of a new handle */
	void (*closed)(struct object *object); /* may be null */
	/* A slot of a pool that held it was closed (each close(2)); its result is close's. May be
	 * null. */
	int (*flush)(struct object *object);
	/* Takes off its queue what waits there by itself, without a thread. Before destroy; may be null. */
	void (*detach)(struct object *object);
	void (*destroy)(struct object *object); /* frees the memory */
	/* The EPOLL* bits that are true now. Null: always readable and writable, as regular files.
	 * Must not sleep. */
	u32 (*ready)(struct object *object);
};

struct object {
	const struct object_type *type; /* constant after object_init */
	u32 refs, handles;		/* atomic */
	union {
		struct object *dead_next; /* private to object_put */
		struct rcu_head rcu;	  /* for destroy (O5) */
	};
	/*
	 * Where those wait who want to know of readiness; woken by object_notify. Points at
	 * own_waiters unless the creator shares one queue between several objects (all open files
	 * of a terminal, both ends of a pipe): the shared queue must live as long as the object.
	 */
	struct wait_queue *waiters;
	struct wait_queue own_waiters;
	void *watches; /* of epoll: first item that watches this; guarded by its lock */
	struct untyped_origin *origin;	    /* null, or of obj/untyped.c: what it was made from */
	struct derivation *derivation_root; /* null until a handle is derived; obj/derivation.c */
};

/* refs = 1, handles = 0. */
void object_init(struct object *object, const struct object_type *type);

/* Adds a reference; the caller has one. */
static inline void object_get(struct object *object)
{
	__atomic_fetch_add(&object->refs, 1, __ATOMIC_RELAXED);
}
/* Adds a reference unless the count is 0, for look-ups under RCU or a container's lock. */
[[nodiscard]] bool object_get_unless_zero(struct object *object);
/* Drops one. The last one may sleep (destroy). */
void object_put_last(struct object *object); /* the rest of object_put */
static inline void object_put(struct object *object)
{
	if (__atomic_fetch_sub(&object->refs, 1, __ATOMIC_RELEASE) == 1)
		object_put_last(object);
}

/* A handle was made / dropped; each handle owns a reference too. */
void object_handle_opened(struct object *object);
void object_handle_closed(struct object *object);

/* EPOLL* bits that are true now. */
static inline u32 object_ready(struct object *object)
{
	if (!object->type->ready)
		return EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM;
	return object->type->ready(object);
}

/*
 * Tells waiters that `events` (EPOLL* bits) may have become true. Of those that wait exclusively
 * one is told, all with EPOLLERR or EPOLLHUP. Any context.
 */
void object_notify(struct object *object, u32 events);

/*
 * Waits until object_ready() has one of `events`, EPOLLERR or EPOLLHUP; a deadline in the past only
 * looks. 0, -ERESTARTSYS, -ETIMEDOUT. The caller holds a reference. May sleep.
 */
[[nodiscard]] int object_wait(struct object *object, u32 events, u64 deadline_ns);

/* Set by vfs at boot: an object with watches is about to be destroyed. May sleep. */
extern void (*object_watches_hook)(struct object *object);

/* Live objects of all types, for leak checks. */
u64 object_count(void);
