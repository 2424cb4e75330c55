/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System V IPC: tables of identifiers and permissions. One mutex per kind guards its table and all objects in it; calls that
 * sleep hold a reference on their object and drop the mutex.
 */
#include <core/time.h>
#include <ipc/sysv_priv.h>
#include <lib/errno.h>
#include <mm/slab.h>
#include <obj/credentials.h>

#define PERMISSION_BITS 0777u

void sysv_table_init(struct sysv_table *table, unsigned limit)
{
	mutex_init(&table->lock, RANK_SYSV);
	table->limit = limit;
}

int sysv_find_index_locked(struct sysv_table *table, int index, struct sysv_object **out)
{
	if (index < 0 || (unsigned)index >= table->size || !table->slots[index])
		return -EINVAL;
	*out = table->slots[index];
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
	for (unsigned i = 0; i < table->size; i++)
		if (table->slots[i] && table->slots[i]->key == key)
			return table->slots[i];
	return nullptr;
}

static int grow_locked(struct sysv_table *table) __must_hold(&table->lock)
{
	unsigned size = table->size ? table->size * 2 : 16;
	void *slots = krealloc(table->slots, size * sizeof(*table->slots), 0);

	if (!slots)
		return -ENOMEM;
	table->slots = slots;
	while (table->size < size)
		table->slots[table->size++] = nullptr;
	return 0;
}

int sysv_add_locked(struct sysv_table *table, struct sysv_object *object, int key, u32 mode)
{
	const struct credentials *c = current_credentials();
	unsigned index = 0;

	if (table->used >= MIN(table->limit, SYSV_INDEX_MAX))
		return -ENOSPC;
	while (index < table->size && table->slots[index])
		index++;
	if (index == table->size && grow_locked(table))
		return -ENOMEM;
	object->key = key;
	object->id =
		(int)(index + table->sequence++ % (INT32_MAX / SYSV_INDEX_MAX) * SYSV_INDEX_MAX);
	object->uid = object->cuid = c->euid;
	object->gid = object->cgid = c->egid;
	object->mode = mode & PERMISSION_BITS;
	object->refs = 1;
	table->slots[index] = object;
	table->used++;
	return object->id;
}

void sysv_take_out_locked(struct sysv_table *table, struct sysv_object *object)
{
	table->slots[(unsigned)object->id % SYSV_INDEX_MAX] = nullptr;
	table->used--;
	object->removed = true;
}

int sysv_highest_locked(const struct sysv_table *table)
{
	unsigned i = table->size;

	while (i > 0 && !table->slots[i - 1])
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

s64 sysv_now(void)
{
	return (s64)(clock_realtime_ns() / NSEC_PER_SEC);
}

void sysv_init(void)
{
	shm_init();
	sem_init();
	msg_init();
}
