/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System V shared memory. A segment embeds the memory object that is mapped; the table holds a reference on it until
 * the segment is removed. After that it lives as long as it is mapped, and can still be attached by its identifier, as
 * on Linux: the object's end takes it out of the table. Attaches are counted by looking at the mappings.
 */
#include <ipc/sysv_priv.h>
#include <lib/errno.h>
#include <lib/refs.h>
#include <mm/aspace.h>
#include <mm/memory_object.h>
#include <mm/slab.h>
#include <proc/pid_namespace.h>
#include <proc/task.h>

#include <linux/mman.h>
#include <linux/stat.h>

#define SEGMENTS_MAX 4096u
#define SHM_DEST_MODE 01000u /* in the mode: goes with the last detach */
#define SIZE_LIMIT (UINT64_MAX - (1ull << 24))

struct segment {
	struct sysv_object base;
	struct memory_object object;
	size_t size;
	s64 attached, detached, changed; /* times */
	int creator, last;		 /* pids */
};

static struct sysv_table segments;

static struct segment *segment_of(struct sysv_object *object)
{
	return container_of(object, struct segment, base);
}

/* Nobody maps it any more and it was removed. May run under an address space's lock. */
static void segment_destroy(struct memory_object *object)
{
	struct segment *s = container_of(object, struct segment, object);

	mutex_lock(&segments.lock);
	sysv_take_out_locked(&segments, &s->base);
	mutex_unlock(&segments.lock);
	kfree(s);
}

static const struct memory_object_ops segment_ops = { .destroy = segment_destroy };

/* A reference for the time without the lock; -EIDRM if the last one is just gone. */
static int segment_hold(struct segment *s)
{
	return refs_get_unless_zero(&s->object.refs) ? 0 : -EIDRM;
}

static int create_locked(int key, size_t size, u32 flags) __must_hold(&segments.lock)
{
	struct segment *s;
	int id;

	if (size == 0 || size > SIZE_LIMIT)
		return -EINVAL;
	s = kzalloc(sizeof(*s), 0);
	if (!s)
		return -ENOMEM;
	s->size = size;
	s->creator = current_process()->pid;
	s->changed = sysv_now();
	id = sysv_add_locked(&segments, &s->base, key, flags);
	if (id < 0)
		kfree(s);
	else
		memory_object_init(&s->object, &segment_ops, ALIGN_UP(size, PAGE_SIZE));
	return id;
}

static int get_locked(int key, size_t size, u32 flags) __must_hold(&segments.lock)
{
	struct sysv_object *found =
		key == IPC_PRIVATE ? nullptr : sysv_find_key_locked(&segments, key);

	if (!found)
		return key == IPC_PRIVATE || (flags & IPC_CREAT) ? create_locked(key, size, flags)
								 : -ENOENT;
	if ((flags & IPC_CREAT) && (flags & IPC_EXCL))
		return -EEXIST;
	if (size > segment_of(found)->size)
		return -EINVAL;
	return sysv_reuse(found, flags);
}

int shm_get(int key, size_t size, u32 flags)
{
	mutex_guard(&segments.lock);
	return get_locked(key, size, flags);
}

/* A segment that the current task may access, held. */
static int open_segment(int id, u32 permissions, struct segment **out)
{
	struct sysv_object *object;
	int error;

	mutex_guard(&segments.lock);
	error = sysv_find_permitted_locked(&segments, id, permissions, &object);
	if (!error)
		error = segment_hold(segment_of(object));
	if (!error)
		*out = segment_of(object);
	return error;
}

static int map_segment(struct segment *s, vaddr_t address, u32 flags, vaddr_t *out)
{
	struct map_request req = {
		.address = address,
		.length = s->object.size,
		.prot = PROT_READ | (flags & SHM_RDONLY ? 0 : PROT_WRITE) |
			(flags & SHM_EXEC ? PROT_EXEC : 0),
		.flags = MAP_SHARED,
		.may = VMA_MAY_READ | VMA_MAY_EXEC | (flags & SHM_RDONLY ? 0 : VMA_MAY_WRITE),
		.object = &s->object,
		.name = "/SYSV (deleted)",
	};
	int error;

	if (address)
		req.flags |= flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
	error = aspace_map(current_aspace(), &req, out);
	return error == -EEXIST ? -EINVAL : error;
}

int shm_attach(int id, vaddr_t address, u32 flags, vaddr_t *out)
{
	u32 permissions =
		S_IRUSR | (flags & SHM_RDONLY ? 0 : S_IWUSR) | (flags & SHM_EXEC ? S_IXUSR : 0);
	struct segment *s;
	int error;

	if (flags & SHM_RND)
		address = ALIGN_DOWN(address, PAGE_SIZE);
	if (!IS_ALIGNED(address, PAGE_SIZE) || (!address && (flags & SHM_REMAP)))
		return -EINVAL;
	error = open_segment(id, permissions, &s);
	if (error)
		return error;
	error = map_segment(s, address, flags, out);
	if (!error) {
		mutex_lock(&segments.lock);
		s->attached = sysv_now();
		s->last = current_process()->pid;
		mutex_unlock(&segments.lock);
	}
	memory_object_put(&s->object);
	return error;
}

/* The segment that was attached at `address`, held. */
static int segment_at(struct aspace *as, vaddr_t address, struct segment **out)
{
	const struct vma *vma;
	int error = -EINVAL;

	read_lock(&as->lock);
	vma = aspace_find(as, address);
	if (vma && vma->start == address && vma->offset == 0 && vma->object &&
	    vma->object->ops == &segment_ops) {
		*out = container_of(vma->object, struct segment, object);
		memory_object_get(vma->object);
		error = 0;
	}
	read_unlock(&as->lock);
	return error;
}

/* The next piece of the attach at `address` that is still mapped; false if there is none. */
static bool next_piece(struct aspace *as, const struct segment *s, vaddr_t address, vaddr_t from,
		       vaddr_t *start, vaddr_t *end)
{
	const struct vma *vma;
	bool found = false;

	read_lock(&as->lock);
	for (vma = aspace_find(as, from); vma && vma->start < address + s->object.size && !found;
	     vma = vma_next((struct vma *)(uintptr_t)vma)) {
		found = vma->object == &s->object && vma->start - vma->offset == address;
		*start = vma->start;
		*end = vma->end;
	}
	read_unlock(&as->lock);
	return found;
}

int shm_detach(vaddr_t address)
{
	struct aspace *as = current_aspace();
	struct segment *s;
	vaddr_t start, end, from = address;
	int error = segment_at(as, address, &s);

	if (error)
		return error;
	while (!error && next_piece(as, s, address, from, &start, &end)) {
		error = aspace_unmap(as, start, end - start);
		from = end;
	}
	mutex_lock(&segments.lock);
	s->detached = sysv_now();
	s->last = current_process()->pid;
	mutex_unlock(&segments.lock);
	memory_object_put(&s->object);
	return error;
}

static u64 count_attaches(struct segment *s)
{
	struct list_head *node;
	u64 n = 0;

	mutex_lock(&s->object.mappings_lock);
	for (node = s->object.mappings.next; node != &s->object.mappings; node = node->next)
		n++;
	mutex_unlock(&s->object.mappings_lock);
	return n;
}

static int stat_locked(int id, int command, struct shmid64_ds *out) __must_hold(&segments.lock)
{
	struct sysv_object *object;
	struct segment *s;
	int error = sysv_find_to_stat_locked(&segments, id, command, SHM_STAT_ANY, &object);
	if (error)
		return error;
	s = segment_of(object);
	*out = (struct shmid64_ds){
		.shm_segsz = s->size,
		.shm_atime = s->attached,
		.shm_dtime = s->detached,
		.shm_ctime = s->changed,
		.shm_cpid = pid_to_user(s->creator),
		.shm_lpid = pid_to_user(s->last),
		.shm_nattch = count_attaches(s),
	};
	sysv_permissions_to(object, &out->shm_perm);
	return command == IPC_STAT ? 0 : object->id;
}

int shm_stat(int id, int command, struct shmid64_ds *out)
{
	mutex_guard(&segments.lock);
	return stat_locked(id, command, out);
}

int shm_set(int id, const struct shmid64_ds *from)
{
	struct sysv_object *object;
	int error;

	mutex_guard(&segments.lock);
	error = sysv_find_owned_locked(&segments, id, &object);
	if (error)
		return error;
	sysv_permissions_from(object, &from->shm_perm);
	segment_of(object)->changed = sysv_now();
	return 0;
}

int shm_lock_check(int id)
{
	struct sysv_object *object;

	mutex_guard(&segments.lock);
	return sysv_find_owned_locked(&segments, id, &object);
}

int shm_remove(int id)
{
	struct sysv_object *object;
	bool first = false;
	int error;

	mutex_lock(&segments.lock);
	error = sysv_find_owned_locked(&segments, id, &object);
	if (!error) {
		first = !(object->mode & SHM_DEST_MODE);
		object->mode |= SHM_DEST_MODE;
		object->key = IPC_PRIVATE;
	}
	mutex_unlock(&segments.lock);
	if (first)
		memory_object_put(&segment_of(object)->object); /* the table's */
	return error;
}

/* Takes a segment out, as shm_remove; what is attached lives on. The lock is held. */
static void discard(struct sysv_object *object) __no_lock_analysis
{
	bool first = !(object->mode & SHM_DEST_MODE);

	object->mode |= SHM_DEST_MODE;
	sysv_take_out_locked(&segments, object);
	if (!first)
		return;
	mutex_unlock(&segments.lock);
	memory_object_put(&segment_of(object)->object);
	mutex_lock(&segments.lock);
}

int shm_limits(struct shminfo64 *out)
{
	mutex_guard(&segments.lock);
	*out = (struct shminfo64){ .shmmax = SIZE_LIMIT,
				   .shmmin = 1,
				   .shmmni = SEGMENTS_MAX,
				   .shmseg = SEGMENTS_MAX,
				   .shmall = SIZE_LIMIT };
	return sysv_highest_locked(&segments);
}

int shm_usage(struct shm_info *out)
{
	mutex_guard(&segments.lock);
	const struct sysv_slots *slots = sysv_slots(&segments);

	*out = (struct shm_info){ .used_ids = (int)slots->used };
	for (unsigned i = 0; i < slots->size; i++) {
		const struct segment *s;

		if (!slots->objects[i])
			continue;
		s = segment_of(slots->objects[i]);
		out->shm_tot += s->object.size / PAGE_SIZE;
		out->shm_rss += READ_ONCE(s->object.page_count);
	}
	return sysv_highest_locked(&segments);
}

void shm_init(void)
{
	sysv_table_init(&segments, SYSV_SEGMENTS, SEGMENTS_MAX, discard);
}
