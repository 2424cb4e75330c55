/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Derivation and revocation: who got a handle from whom, and taking it all back.
 *
 * handle_derive() makes a narrower handle with a node below that of its source; duplicates of a handle, wherever they
 * travel, share its node. All handles of an object that were never derived share the object's root, which exists from the
 * first derivation on. handle_revoke() kills every node below that of a handle.
 *
 * (D1) No handle whose node is revoked gives access: look-up reads `revoked` after it has announced itself as a user,
 * revoke reads the users after it has set `revoked`.
 * (D2) When revoke returns, nothing that began through a revoked handle is in progress or mapped.
 * (D3) A node's rights and badge are in its handles; a child's rights are a subset of its source's (H1), and a badge, once
 * given, is never changed.
 * (D4) A node without handles keeps its place only while it has two or more children: the tree is never larger than twice
 * the number of handles with a node.
 * (D5) Closing is not revoking: what was derived from a closed handle lives on below the closed one's parent.
 * (D7) Calls in progress, mappings and watches count as handles do: what began through a handle is found when that is closed since.
 * (D6) A revoked node stays with its handles until they are closed, and never comes back to life.
 *
 * Locks: derivation_lock (the tree), node->lock (users and mappings); never both. A node is freed by RCU.
 */
#pragma once

#include <core/lock.h>
#include <core/rcu.h>
#include <lib/list.h>
#include <lib/refs.h>
#include <lib/types.h>

struct object;
struct thread;
struct vma;

struct derivation {
	struct rcu_head rcu;
	u32 refs; /* atomic: 1 while linked, 1 while handles > 0 */
	u32 handles; /* atomic: slots and messages that carry it, and (D7); 1 for an object that has it as root */
	bool revoked; /* atomic; set once */
	bool linked;  /* in the tree; guarded by derivation_lock, as the next four */
	struct derivation *parent;
	struct list_head children, sibling;
	struct object *object; /* alive while any handle of it is */
	struct object *doomed; /* while it is being revoked: its object, with a reference */
	struct spinlock lock;  /* RANK_DERIVATION_USE */
	struct list_head uses __guarded_by(&lock);     /* calls in progress through its handles */
	struct list_head mappings __guarded_by(&lock); /* struct vma.derivation_node */
};

/* One more handle carries the node; the caller has such a handle. Null is allowed. */
static inline void derivation_handle_opened(struct derivation *d)
{
	if (unlikely(d))
		__atomic_fetch_add(&d->handles, 1, __ATOMIC_RELAXED);
}
void derivation_handle_gone(struct derivation *d); /* the rest of the next */
/* One less. Null is allowed. The object is still alive. May sleep. */
static inline void derivation_handle_closed(struct derivation *d)
{
	if (unlikely(d))
		derivation_handle_gone(d);
}

/* One more unless there is none; under RCU. */
[[nodiscard]] static inline bool derivation_handle_opened_unless_zero(struct derivation *d)
{
	return refs_get_unless_zero(&d->handles);
}

static inline bool derivation_revoked(const struct derivation *d)
{
	return d && __atomic_load_n(&d->revoked, __ATOMIC_ACQUIRE);
}

/*
 * Announces the current thread as a user of the node until its system call ends. Consumes what derivation_handle_opened counted. 0,
 * -EKEYREVOKED, -ENOMEM.
 */
[[nodiscard]] int derivation_enter(struct derivation *d);
/* The end of a system call of the current thread: it uses none any more. True if one was revoked meanwhile. */
bool derivation_leave_all(void);
/* The node through which the current system call found this object, counted as by derivation_handle_opened; null if by an underived handle. */
struct derivation *derivation_in_use(const struct object *object);

/* A new node for a handle of `object` below `parent` (null: the object's root, which is made). Its one handle is the
 * caller's to install. -ENOMEM, -EKEYREVOKED. May sleep. */
[[nodiscard]] int derivation_create(struct object *object, struct derivation *parent,
				    struct derivation **out);

/* What the book-keeping of an object with one derived handle takes out of the allocator. */
u64 derivation_bytes(void);

/* Revokes what is below `d` (null: the object's root). The number of nodes, or -EINTR: all are revoked, but a call in
 * progress has not ended. May sleep. */
[[nodiscard]] long derivation_revoke(struct object *object, struct derivation *d);

/* The object is destroyed: its root goes. */
void derivation_object_gone(struct object *object);

/* Boot, after slab_init. */
void derivation_init(void);
