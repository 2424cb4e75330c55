/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of System V IPC, for shm, sem and msg. */
#pragma once

#include <core/wait.h>
#include <ipc/sysv.h>

/* Identifiers are index + sequence * SYSV_INDEX_MAX: one that was removed is not mistaken for its successor. */
#define SYSV_INDEX_MAX 32768u

void sysv_table_init(struct sysv_table *table, enum sysv_kind kind, unsigned limit,
		     void (*discard)(struct sysv_object *object));
/* The objects of a table in the current task's name space. */
static inline struct sysv_slots *sysv_slots(const struct sysv_table *table)
{
	return &current_ipc()->sysv[table->kind];
}

/* The object of an identifier: -EINVAL, -EIDRM. */
[[nodiscard]] int sysv_find_locked(struct sysv_table *table, int id, struct sysv_object **out)
	__must_hold(&table->lock);
/* The same by the number of a slot, for *_STAT; `any`: *_STAT_ANY. */
[[nodiscard]] int sysv_find_index_locked(struct sysv_table *table, int index,
					 struct sysv_object **out) __must_hold(&table->lock);
/* The object of an identifier that the current task may access, sysv_permission, or change, sysv_owner. Their errors too. */
[[nodiscard]] int sysv_find_permitted_locked(struct sysv_table *table, int id, u32 mode,
					     struct sysv_object **out) __must_hold(&table->lock);
[[nodiscard]] int sysv_find_owned_locked(struct sysv_table *table, int id, struct sysv_object **out)
	__must_hold(&table->lock);
/* The object that a STAT command names: IPC_STAT by identifier, the others by slot; `any` is the one that needs no permission. */
[[nodiscard]] int sysv_find_to_stat_locked(struct sysv_table *table, int id, int command, int any,
					   struct sysv_object **out) __must_hold(&table->lock);
/*
 * The same as sysv_find_permitted_locked without the table's lock, with a reference, which is the caller's: for objects that have a
 * lock of their own, and that are freed by RCU. It may be removed at any time.
 */
[[nodiscard]] int sysv_get(struct sysv_table *table, int id, u32 mode, struct sysv_object **out);
/* Drops a reference. True: it was the last, and the object is the caller's to free. */
[[nodiscard]] static inline bool sysv_put(struct sysv_object *object)
{
	return __atomic_sub_fetch(&object->refs, 1, __ATOMIC_ACQ_REL) == 0;
}
/* The object with a key; null: none. */
struct sysv_object *sysv_find_key_locked(struct sysv_table *table, int key)
	__must_hold(&table->lock);

/* Enters a new object with one reference, owned by the current task. The identifier; -ENOSPC, -ENOMEM. */
[[nodiscard]] int sysv_add_locked(struct sysv_table *table, struct sysv_object *object, int key,
				  u32 mode) __must_hold(&table->lock);
/* Takes it out of the table; its reference there goes over to the caller. */
void sysv_take_out_locked(struct sysv_table *table, struct sysv_object *object)
	__must_hold(&table->lock);
/* The highest slot in use, for the INFO commands; 0 if none is. */
int sysv_highest_locked(const struct sysv_table *table) __must_hold(&table->lock);

/* What *get does with a key that exists: -EEXIST, -EACCES, or its identifier. */
[[nodiscard]] int sysv_reuse(const struct sysv_object *object, u32 flags);
/* May the current task access it? `mode`: permission bits, of which the highest triple counts. 0 or -EACCES. */
[[nodiscard]] int sysv_permission(const struct sysv_object *object, u32 mode);
/* May it change or remove it? 0 or -EPERM. */
[[nodiscard]] int sysv_owner(const struct sysv_object *object);

void sysv_permissions_to(const struct sysv_object *object, struct ipc64_perm *out);
void sysv_permissions_from(struct sysv_object *object, const struct ipc64_perm *from);

/* Who waits until something about an object has changed. */
struct sysv_waiters {
	struct wait_queue queue;
	u32 changes; /* atomic; counts everything that may let somebody go on */
};

/* Tells them. After the change; with the lock that guards it or without. */
void sysv_changed(struct sysv_waiters *waiters);
/* What to give sysv_wait; read under the lock that guards what is waited for. */
static inline u32 sysv_changes(const struct sysv_waiters *waiters)
{
	return __atomic_load_n(&waiters->changes, __ATOMIC_ACQUIRE);
}
/*
 * Sleeps until `waiters` of the object have been told of a change after `seen`. The caller holds a reference and no lock. 0, -EIDRM:
 * it was removed, -ETIMEDOUT, -ERESTARTSYS.
 */
[[nodiscard]] int sysv_wait(const struct sysv_object *object, struct sysv_waiters *waiters,
			    u32 seen, u64 deadline_ns);

/* CLOCK_REALTIME in seconds. */
s64 sysv_now(void);

void shm_init(void);
void sem_init(void);
void msg_init(void);
