/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System V IPC: tables of identifiers and permissions. One mutex per kind guards its table and the objects in it; calls that
 * sleep hold a reference on their object and drop the mutex. Message queues, which are what is used often, are found under RCU
 * instead, and have a lock each for what is in them.
 */
#include <core/rcu.h>
#include <core/time.h>
#include <ipc/sysv_priv.h>
#include <lib/errno.h>
#include <lib/refs.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <obj/credentials.h>
#include <proc/task.h>

#include <linux/sched.h>
#include <linux/stat.h>

#define PERMISSION_BITS 0777u

static struct sysv_table *tables[SYSV_KINDS];
static struct ipc_namespace initial_ipc;
void (*ipc_mqueue_end_hook)(struct mount *mount);

void sysv_table_init(struct sysv_table *table, enum sysv_kind kind, unsigned limit,
		     void (*discard)(struct sysv_object *object))
{
	mutex_init(&table->lock, RANK_SYSV);
	table->kind = kind;
	table->limit = limit;
	table->discard = discard;
	tables[kind] = table;
}

int sysv_find_index_locked(struct sysv_table *table, int index, struct sysv_object **out)
{
	const struct sysv_slots *slots = sysv_slots(table);

	if (index < 0 || (unsigned)index >= slots->size || !slots->objects[index])
		return -EINVAL;
	*out = slots->objects[index];
	return 0;
}

int sysv_find_locked(struct sysv_table *table, int id, struct sysv_object **out)
{
	int error;

	if (id < 0)
		return -EINVAL;
	error = sysv_find_index_locked(table, (int)((unsigned)id % SYSV_INDEX_MAX), out);
	if (!error && (*out)->id != id)
		error = -EIDRM;
	return error;
}

struct sysv_object *sysv_find_key_locked(struct sysv_table *table, int key)
{
	const struct sysv_slots *slots = sysv_slots(table);

	for (unsigned i = 0; i < slots->size; i++)
		if (slots->objects[i] && slots->objects[i]->key == key)
			return slots->objects[i];
	return nullptr;
}

int sysv_get(struct sysv_table *table, int id, u32 mode, struct sysv_object **out)
{
	const struct sysv_slots *slots = sysv_slots(table);
	unsigned index = (unsigned)id % SYSV_INDEX_MAX;
	struct sysv_object *object = nullptr;
	int error;

	if (id < 0)
		return -EINVAL;
	rcu_read_lock();
	if (index < __atomic_load_n(&slots->size, __ATOMIC_ACQUIRE))
		object = rcu_dereference(rcu_dereference(slots->objects)[index]);
	error = !object ? -EINVAL : object->id != id ? -EIDRM : sysv_permission(object, mode);
	if (!error && !refs_get_unless_zero(&object->refs))
		error = -EIDRM;
	rcu_read_unlock();
	*out = object;
	return error;
}

static int grow(struct sysv_slots *slots)
{
	unsigned size = slots->size ? slots->size * 2 : 16;
	struct sysv_object **old = slots->objects;
	struct sysv_object **objects = kzalloc(size * sizeof(*objects), 0);

	if (!objects)
		return -ENOMEM;
	if (old)
		memcpy(objects, old, slots->size * sizeof(*objects));
	rcu_assign(slots->objects, objects);
	/* Who sees the size sees the array that has it. */
	__atomic_store_n(&slots->size, size, __ATOMIC_RELEASE);
	if (old) {
		rcu_synchronize();
		kfree(old);
	}
	return 0;
}

int sysv_next_id(enum sysv_kind kind)
{
	return READ_ONCE(current_ipc()->sysv[kind].next_id) - 1;
}

void sysv_next_id_set(enum sysv_kind kind, int id)
{
	mutex_lock(&tables[kind]->lock);
	current_ipc()->sysv[kind].next_id = id + 1;
	mutex_unlock(&tables[kind]->lock);
}

int sysv_add_locked(struct sysv_table *table, struct sysv_object *object, int key, u32 mode)
{
	const struct credentials *c = current_credentials();
	struct sysv_slots *slots = sysv_slots(table);
	unsigned wanted = slots->next_id ? (unsigned)slots->next_id - 1 : 0;
	unsigned index = wanted % SYSV_INDEX_MAX;

	if (slots->used >= MIN(table->limit, SYSV_INDEX_MAX))
		return -ENOSPC;
	while (index < slots->size && slots->objects[index])
		index++;
	if (index == SYSV_INDEX_MAX)
		return -ENOSPC;
	while (index >= slots->size)
		if (grow(slots))
			return -ENOMEM;
	if (slots->next_id)
		slots->sequence = wanted / SYSV_INDEX_MAX;
	slots->next_id = 0;
	object->key = key;
	object->id =
		(int)(index + slots->sequence++ % (INT32_MAX / SYSV_INDEX_MAX) * SYSV_INDEX_MAX);
	object->uid = object->cuid = c->euid;
	object->gid = object->cgid = c->egid;
	object->mode = mode & PERMISSION_BITS;
	object->refs = 1;
	object->slots = slots;
	rcu_assign(slots->objects[index], object);
	slots->used++;
	return object->id;
}

void sysv_take_out_locked(struct sysv_table *table, struct sysv_object *object)
{
	(void)table;
	WRITE_ONCE(object->removed, true);
	if (!object->slots)
		return; /* its name space is gone */
	rcu_assign(object->slots->objects[(unsigned)object->id % SYSV_INDEX_MAX], nullptr);
	object->slots->used--;
	object->slots = nullptr;
}

int sysv_highest_locked(const struct sysv_table *table)
{
	const struct sysv_slots *slots = sysv_slots(table);
	unsigned i = slots->size;

	while (i > 0 && !slots->objects[i - 1])
		i--;
	return i ? (int)i - 1 : 0;
}

int sysv_permission(const struct sysv_object *object, u32 mode)
{
	const struct credentials *c = current_credentials();
	u32 wanted = (mode >> 6 | mode >> 3 | mode) & 7, granted = object->mode;

	if (c->euid == object->uid || c->euid == object->cuid)
		granted >>= 6;
	else if (c->egid == object->gid || c->egid == object->cgid ||
		 credentials_in_group(c, object->gid) || credentials_in_group(c, object->cgid))
		granted >>= 3;
	return (wanted & ~granted) && !capable(CAP_IPC_OWNER) ? -EACCES : 0;
}

int sysv_reuse(const struct sysv_object *object, u32 flags)
{
	int error;

	if ((flags & IPC_CREAT) && (flags & IPC_EXCL))
		return -EEXIST;
	error = sysv_permission(object, flags & PERMISSION_BITS);
	return error ? error : object->id;
}

int sysv_owner(const struct sysv_object *object)
{
	u32 euid = current_credentials()->euid;

	return euid == object->uid || euid == object->cuid || capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

void sysv_permissions_to(const struct sysv_object *object, struct ipc64_perm *out)
{
	*out = (struct ipc64_perm){
		.key = object->key,
		.uid = object->uid,
		.gid = object->gid,
		.cuid = object->cuid,
		.cgid = object->cgid,
		.mode = (__kernel_mode_t)object->mode,
		.seq = (unsigned short)((unsigned)object->id / SYSV_INDEX_MAX),
	};
}

void sysv_permissions_from(struct sysv_object *object, const struct ipc64_perm *from)
{
	object->uid = from->uid;
	object->gid = from->gid;
	object->mode = (object->mode & ~PERMISSION_BITS) | (from->mode & PERMISSION_BITS);
}

int sysv_find_permitted_locked(struct sysv_table *table, int id, u32 mode, struct sysv_object **out)
{
	int error = sysv_find_locked(table, id, out);

	return error ? error : sysv_permission(*out, mode);
}

int sysv_find_owned_locked(struct sysv_table *table, int id, struct sysv_object **out)
{
	int error = sysv_find_locked(table, id, out);

	return error ? error : sysv_owner(*out);
}

int sysv_find_to_stat_locked(struct sysv_table *table, int id, int command, int any,
			     struct sysv_object **out)
{
	int error = command == IPC_STAT ? sysv_find_locked(table, id, out)
					: sysv_find_index_locked(table, id, out);

	return error || command == any ? error : sysv_permission(*out, S_IRUSR);
}

void sysv_changed(struct sysv_waiters *waiters)
{
	__atomic_fetch_add(&waiters->changes, 1, __ATOMIC_RELEASE);
	wake_up(&waiters->queue, 0);
}

int sysv_wait(const struct sysv_object *object, struct sysv_waiters *waiters, u32 seen,
	      u64 deadline_ns)
{
	int error = wait_event_until(&waiters->queue, sysv_changes(waiters) != seen,
				     SLEEP_INTERRUPTIBLE, deadline_ns);

	return READ_ONCE(object->removed) ? -EIDRM : error;
}

s64 sysv_now(void)
{
	return (s64)(clock_realtime_ns() / NSEC_PER_SEC);
}

static void namespace_free(struct rcu_head *head)
{
	kfree(container_of(head, struct ipc_namespace, base.object.rcu));
}

static void slots_destroy(struct sysv_table *table, struct sysv_slots *slots)
{
	for (unsigned i = 0; i < slots->size; i++) {
		struct sysv_object *object;

		mutex_lock(&table->lock);
		object = slots->objects[i];
		if (object)
			table->discard(object);
		mutex_unlock(&table->lock);
	}
	kfree(slots->objects);
}

static void namespace_destroy(struct object *object)
{
	struct ipc_namespace *ns = container_of(object, struct ipc_namespace, base.object);

	for (unsigned i = 0; i < SYSV_KINDS; i++)
		slots_destroy(tables[i], &ns->sysv[i]);
	if (ns->mqueue)
		ipc_mqueue_end_hook(ns->mqueue);
	rcu_call(&object->rcu, namespace_free);
}

static int namespace_copy(struct namespace *from, struct fs_context *fs, struct namespace **out)
{
	struct ipc_namespace *new = kzalloc(sizeof(*new), 0);

	(void)fs;
	if (!new)
		return -ENOMEM;
	namespace_init(&new->base, from->type);
	*out = &new->base;
	return 0;
}

/* What SEM_UNDO promised is done before the semaphores are out of reach. */
static void namespace_leave(struct namespace *ns)
{
	(void)ns;
	sem_exit(current_process());
}

static const struct namespace_type ipc_type = {
	.name = "ipc",
	.clone_flag = CLONE_NEWIPC,
	.object = { .name = "ipc", .destroy = namespace_destroy },
	.copy = namespace_copy,
	.leave = namespace_leave,
};

void sysv_init(void)
{
	namespace_register(NAMESPACE_IPC, &ipc_type, &initial_ipc.base);
	shm_init();
	sem_init();
	msg_init();
}
