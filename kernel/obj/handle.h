/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Handles and pools. A handle is {object, rights, flags, badge}; a pool is a table of handles and
 * itself an object. File descriptor n of a process is slot n of its pool.
 *
 * (H1) Rights only shrink: no operation gives a handle a right that the handle it came from lacks.
 * (H2) Look-up precedence: bad number (-EBADF), wrong type (-EINVAL), missing right (-EACCES),
 * revoked (-EKEYREVOKED, see derivation.h). linux/ maps the second and third to what Linux says (-EBADF for a file that is not open for reading...).
 * (H3) No callback runs under pool->lock: slots leave the table under it and are closed after it is
 * dropped. (H4) Look-up takes no lock: slots are read under RCU, tables are replaced, never moved
 * in place. (H5) A call that makes several handles reserves the slots first and publishes last:
 * nothing is visible before success.
 */
#pragma once

#include <core/lock.h>
#include <core/rcu.h>
#include <lib/errno.h>
#include <mm/budget.h>
#include <obj/derivation.h>
#include <obj/object.h>

#define RIGHT_READ BIT(0)
#define RIGHT_WRITE BIT(1)
#define RIGHT_EXECUTE BIT(2)
#define RIGHT_MAP BIT(3)
#define RIGHT_DUPLICATE BIT(4)
#define RIGHT_TRANSFER BIT(5) /* may travel through a channel or SCM_RIGHTS */
#define RIGHT_WAIT BIT(6)     /* poll, epoll, native wait */
#define RIGHT_CONTROL BIT(7)  /* ioctl, fcntl, set attributes */
#define RIGHT_INSPECT BIT(8)  /* fstat, query */
#define RIGHT_DERIVE BIT(9)
#define RIGHT_REVOKE BIT(10)
#define RIGHTS_ALL 0x7fful
#define RIGHTS_SAME BIT(31) /* in requests: those of the source handle */

#define HANDLE_CLOEXEC BIT(0)
#define HANDLE_CLOFORK BIT(1)

struct handle {
	struct object *object;	       /* owns a reference and a handle count */
	struct derivation *derivation; /* null: never derived; else it counts this handle */
	u64 badge;		       /* set by the deriver, unforgeable by the holder */
	union {
		struct {
			u32 rights;
			u32 flags; /* HANDLE_*; in a slot also a sequence number */
		};
		u64 rights_and_flags;
	};
};

struct pool_table {
	struct rcu_head rcu;
	unsigned size; /* slots */
	u64 *used;     /* bitmap: reserved or published */
	struct handle slots[] __counted_by(size);
};

struct pool {
	struct object object; /* a pool can be held by a handle */
	struct spinlock lock;
	struct pool_table *table; /* replaced under lock, read under RCU */
	unsigned first_free;	  /* no free slot is below it */
	unsigned count;
	struct memory_charge charge; /* of the structure and the table */
	/* Tasks that use it as their descriptor table, and 1 while the pool itself has a handle; at 0 all handles are closed. */
	u32 users;
	u64 born; /* those with handles, in the order in which they were made; 0: it has none */
};

/* An empty pool with one reference and one user, charged to the budget (null: to nobody) as it grows. -ENOMEM. */
[[nodiscard]] int pool_create(struct memory_budget *budget, struct pool **out);
/* The same, for handles: its one user is its own last handle. -ENOMEM. */
[[nodiscard]] int pool_create_object(struct memory_budget *budget, struct object **out);
extern const struct object_type pool_type;
static inline struct pool *pool_of(struct object *object)
{
	return container_of(object, struct pool, object);
}
/* A pool goes into older ones only, and into tables of processes: none can hold itself. */
static inline bool pool_may_hold(const struct pool *outer, const struct pool *inner)
{
	return outer->born < inner->born;
}
/* Closes all handles; nothing is charged for it any more. May sleep. */
void pool_end(struct pool *pool);
/* What the pool takes out of the allocator now. */
u64 pool_bytes(struct pool *pool);

/* A copy for fork, charged as `from` is: every handle but those marked HANDLE_CLOFORK. -ENOMEM. */
[[nodiscard]] int pool_copy(struct pool *from, struct pool **out);

/* One more user, with a reference. */
void pool_user_get(struct pool *pool);
/* Drops a user and its reference; the last one closes every handle. May sleep. */
void pool_user_put(struct pool *pool);

/* Closes the handles that are marked HANDLE_CLOEXEC. May sleep. */
void pool_close_on_exec(struct pool *pool);

/*
 * Finds a handle: *out gets the object with a reference. `type` null: any. `rights` all needed.
 * -EBADF, -EINVAL, -EACCES, -EKEYREVOKED as (H2); -ENOMEM for a derived handle. Does not sleep.
 * A derived handle counts as in use until the current system call ends.
 */
[[nodiscard]] int handle_get(struct pool *pool, int fd, const struct object_type *type, u32 rights,
			     struct object **out);

/* The same, and the badge of the handle. */
[[nodiscard]] int handle_get_badge(struct pool *pool, int fd, const struct object_type *type,
				   u32 rights, struct object **out, u64 *badge);

/* Of a derived handle in a table that no other task uses: announces its use. -EKEYREVOKED, -ENOMEM. */
[[nodiscard]] static inline int handle_enter(const struct handle *slot)
{
	derivation_handle_opened(slot->derivation);
	return derivation_enter(slot->derivation);
}

/*
 * The same for the current task's own pool and the length of one system call: when no other task
 * uses the pool, nobody can close the handle meanwhile, and no reference is needed. *owned tells
 * whether one was taken.
 */
[[nodiscard]] static inline int handle_borrow(struct pool *pool, int fd,
					      const struct object_type *type, u32 rights,
					      struct object **out, bool *owned)
{
	const struct pool_table *table = pool->table;
	const struct handle *slot;

	*owned = pool->users != 1;
	if (unlikely(*owned))
		return handle_get(pool, fd, type, rights, out);
	if (unlikely((unsigned)fd >= table->size))
		return -EBADF;
	slot = &table->slots[fd];
	if (unlikely(!slot->object))
		return -EBADF;
	if (unlikely(type && slot->object->type != type))
		return -EINVAL;
	if (unlikely(rights & ~slot->rights))
		return -EACCES;
	*out = slot->object;
	return unlikely(slot->derivation) ? handle_enter(slot) : 0;
}

/* The same, and the badge of the handle. */
[[nodiscard]] static inline int handle_borrow_badge(struct pool *pool, int fd,
						    const struct object_type *type, u32 rights,
						    struct object **out, bool *owned, u64 *badge)
{
	const struct pool_table *table = pool->table;
	const struct handle *slot;

	if (likely(pool->users == 1 && (unsigned)fd < table->size)) {
		slot = &table->slots[fd];
		if (likely(slot->object && slot->object->type == type &&
			   !(rights & ~slot->rights))) {
			*owned = false;
			*badge = slot->badge;
			*out = slot->object;
			return unlikely(slot->derivation) ? handle_enter(slot) : 0;
		}
	}
	*owned = true;
	return handle_get_badge(pool, fd, type, rights, out, badge);
}

/* Rights, flags, badge and derivation of a slot, revoked or not. `out->object` has a reference, and its node a handle,
 * that handle_copy_put() drops. May sleep then. */
[[nodiscard]] int handle_get_copy(struct pool *pool, int fd, struct handle *out);
void handle_copy_put(struct handle *copy);

/*
 * Installs a new handle at the lowest free slot >= min and < limit (RLIMIT_NOFILE). The object's
 * reference stays the caller's; the slot takes its own. Returns the slot, -EMFILE, -ENOMEM.
 */
[[nodiscard]] int handle_install(struct pool *pool, struct object *object, u32 rights, u32 flags,
				 int min, unsigned limit);

/* Reserve a slot (lowest free >= min, < limit; -EMFILE, -ENOMEM), then publish or cancel it (H5).
 */
[[nodiscard]] int handle_reserve(struct pool *pool, int min, unsigned limit);
/* Exactly this slot, which is free. -EBUSY, -EMFILE, -ENOMEM. */
[[nodiscard]] int handle_reserve_exact(struct pool *pool, u32 fd, unsigned limit);
void handle_publish(struct pool *pool, int fd, struct object *object, u32 rights, u32 flags);
void handle_cancel(struct pool *pool, int fd);

/*
 * Duplicates a handle to the lowest free slot >= min; `rights` narrows (RIGHTS_SAME keeps). -EBADF,
 * -EACCES, -EMFILE, -ENOMEM.
 */
[[nodiscard]] int handle_duplicate(struct pool *pool, int fd, u32 rights, u32 flags, int min,
				   unsigned limit);

/*
 * A new handle below `fd` (see derivation.h), with RIGHT_DERIVE: `rights` narrows, RIGHTS_SAME keeps. A badge other than
 * 0 is given once: -EACCES if the source has one. -EBADF, -EACCES, -EKEYREVOKED, -EMFILE, -ENOMEM. May sleep.
 */
[[nodiscard]] int handle_derive(struct pool *pool, int fd, u32 rights, u64 badge, u32 flags,
				unsigned limit);

/*
 * Revokes everything derived from `fd` and its duplicates, with RIGHT_REVOKE. How many derivations, -EBADF, -EACCES,
 * -EKEYREVOKED, -EINTR (revoked, but a call that uses one goes on). May sleep.
 */
[[nodiscard]] long handle_revoke(struct pool *pool, int fd);

/* Duplicates to exactly `to`, closing what was there (dup3(2)). -EBADF, -EBUSY (reserved by a
 * racing open). May sleep. */
[[nodiscard]] int handle_duplicate_to(struct pool *pool, int fd, int to, u32 flags, unsigned limit);

/* Closes a handle; the object's closed() may run. -EBADF. May sleep. */
[[nodiscard]] int handle_close(struct pool *pool, int fd);

/* Closes or marks a range of slots, close_range(2). */
[[nodiscard]] int handle_close_range(struct pool *pool, unsigned first, unsigned last,
				     bool mark_cloexec);

/* Reads and changes slot flags (FD_CLOEXEC). Return the flags / 0, or -EBADF. */
[[nodiscard]] int handle_flags(struct pool *pool, int fd);
[[nodiscard]] int handle_set_flags(struct pool *pool, int fd, u32 flags);

/* The next used slot >= fd, or -1: for /proc/pid/fd. */
int pool_next(struct pool *pool, int fd);
unsigned pool_size(struct pool *pool);

/* What to hand over in a message. */
enum transfer_operation { TRANSFER_MOVE, TRANSFER_DUPLICATE };
struct transfer {
	int fd;
	enum transfer_operation operation;
	u32 rights; /* or RIGHTS_SAME */
};

/*
 * Takes handles out of a pool into `out`, all or nothing: everything is checked before anything
 * moves. -EBADF, -EACCES, -EINVAL (the same slot twice with a move).
 */
[[nodiscard]] int handles_collect(struct pool *pool, const struct transfer *list, unsigned n,
				  struct handle *out);

/*
 * The same in two steps, for a sender that may yet fail: the handles are copied, moved ones too, and when nothing can fail
 * any more the slots of the moved ones are closed, unless they hold something else by now. `rights` are needed of each: TRANSFER for a
 * message.
 */
[[nodiscard]] int handles_copy(struct pool *pool, const struct transfer *list, unsigned n,
			       u32 rights, struct handle *out);
void handles_close_moved(struct pool *pool, const struct transfer *list, unsigned n,
			 struct object *const *objects);

/* A second handle like `from`, which is in no table (a message, for MSG_PEEK), for another message. Any context. */
void handle_copy(const struct handle *from, struct handle *out);

/* A handle in no table, derived from the object's root, so that derivation_revoke(object, nullptr) revokes it. -ENOMEM. */
[[nodiscard]] int handle_make_derived(struct object *object, u32 rights, struct handle *out);

/* Drops a handle that is in no table. May sleep. */
void handle_drop(struct handle *handle);

/* Installs a handle from a message, consuming it on success. Returns the slot, -EMFILE, -ENOMEM. */
[[nodiscard]] int handle_install_moved(struct pool *pool, struct handle *handle, u32 flags,
				       unsigned limit);

/* The same into a slot that was reserved. */
void handle_publish_moved(struct pool *pool, int fd, struct handle *handle, u32 flags);

/* As Linux's /proc/sys/fs/nr_open: no pool grows beyond it, whatever RLIMIT_NOFILE says. */
#define POOL_SIZE_MAX (1u << 20)

/* Boot, after slab_init. */
void pool_init(void);
