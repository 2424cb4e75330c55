/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Native calls on address spaces: abi/native/cairn/aspace.h. */
#include <arch/layout.h>
#include <ipc/channel.h>
#include <mm/memory_object.h>
#include <mm/ucopy.h>
#include <native/native.h>
#include <obj/space.h>
#include <vfs/vfs.h>

#include <cairn/aspace.h>
#include <linux/mman.h>
#include <syscall_prototypes.h>

_Static_assert(sizeof(struct cairn_mapping) == 32);
_Static_assert(CAIRN_MAP_READ == PROT_READ && CAIRN_MAP_WRITE == PROT_WRITE &&
	       CAIRN_MAP_EXECUTE == PROT_EXEC);

#define MAP_RIGHTS (CAIRN_MAP_READ | CAIRN_MAP_WRITE | CAIRN_MAP_EXECUTE)

/* *space has a reference; null: the caller's own address space. */
static int aspace_get_by_handle(int fd, u32 rights, struct aspace **out, struct space **space)
{
	struct object *object;
	int error;

	*space = nullptr;
	*out = current_aspace();
	if (fd == -1)
		return 0;
	error = handle_get(current_pool(), fd, &space_type, rights, &object);
	if (error)
		return error;
	*space = space_of(object);
	*out = (*space)->aspace;
	return 0;
}

static void space_put(struct space *space)
{
	if (space)
		object_put(&space->object);
}

static int map(struct aspace *as, struct cairn_mapping *mapping)
{
	struct map_request req = {
		.address = mapping->address,
		.length = mapping->length,
		.prot = mapping->flags & MAP_RIGHTS,
		.flags = mapping->flags & CAIRN_MAP_PRIVATE || mapping->memory == -1 ? MAP_PRIVATE
										     : MAP_SHARED,
		.offset = mapping->offset,
	};
	vaddr_t at;
	int error;

	if (mapping->flags & ~(MAP_RIGHTS | CAIRN_MAP_PRIVATE | CAIRN_MAP_FIXED) ||
	    (mapping->length | mapping->offset) & ~PAGE_MASK)
		return -EINVAL;
	if (mapping->flags & CAIRN_MAP_FIXED)
		req.flags |= MAP_FIXED_NOREPLACE;
	if (mapping->memory == -1)
		error = mapping->offset ? -EINVAL : aspace_map(as, &req, &at);
	else
		error = vfs_map(as, current_pool(), mapping->memory, &req, &at);
	if (!error)
		mapping->address = at;
	return error;
}

long sys_aspace_map(int fd, struct cairn_mapping __user *user)
{
	struct cairn_mapping mapping;
	struct space *space;
	struct aspace *as;
	int error;

	if (copy_from_user(&mapping, user, sizeof(mapping)))
		return -EFAULT;
	error = aspace_get_by_handle(fd, RIGHT_WRITE, &as, &space);
	if (error)
		return error;
	error = map(as, &mapping);
	if (!error && copy_to_user(user, &mapping, sizeof(mapping))) {
		(void)!aspace_unmap(as, mapping.address, mapping.length);
		error = -EFAULT;
	}
	space_put(space);
	return error;
}

long sys_aspace_unmap(int fd, u64 address, u64 length)
{
	struct space *space;
	struct aspace *as;
	int error = aspace_get_by_handle(fd, RIGHT_WRITE, &as, &space);

	if (error)
		return error;
	error = length & ~PAGE_MASK ? -EINVAL : aspace_unmap(as, address, length);
	space_put(space);
	return error;
}

long sys_aspace_protect(int fd, u64 address, u64 length, unsigned rights)
{
	struct space *space;
	struct aspace *as;
	int error = aspace_get_by_handle(fd, RIGHT_WRITE, &as, &space);

	if (error)
		return error;
	if (rights & ~MAP_RIGHTS || length & ~PAGE_MASK)
		error = -EINVAL;
	else
		error = aspace_protect(as, address, length, rights);
	space_put(space);
	return error;
}

static int query(struct aspace *as, u64 address, struct cairn_mapping *mapping)
{
	const struct vma *vma;

	read_lock(&as->lock);
	vma = aspace_find(as, address);
	if (vma)
		*mapping = (struct cairn_mapping){
			.address = vma->start,
			.length = vma->end - vma->start,
			.offset = vma->offset,
			.memory = -1,
			.flags = (u32)(vma->flags & VMA_PROT_MASK) |
				 (vma->flags & VMA_SHARED ? 0 : CAIRN_MAP_PRIVATE),
		};
	read_unlock(&as->lock);
	return vma ? 0 : -ENOENT;
}

long sys_aspace_query(int fd, u64 address, struct cairn_mapping __user *user)
{
	struct cairn_mapping mapping;
	struct space *space;
	struct aspace *as;
	int error = aspace_get_by_handle(fd, RIGHT_INSPECT, &as, &space);

	if (error)
		return error;
	error = query(as, address, &mapping);
	space_put(space);
	return error ? error : copy_to_user(user, &mapping, sizeof(mapping)) ? -EFAULT : 0;
}

/* The handle is copied with its place in the tree of derivations: a pager whose handle is revoked is not asked any more. */
static int set_pager(struct aspace *as, int fd)
{
	const struct transfer transfer = { fd, TRANSFER_DUPLICATE, RIGHTS_SAME };
	struct handle sender;
	int error;

	if (fd == -1)
		return space_set_pager(as, nullptr);
	error = handles_copy(current_pool(), &transfer, 1, RIGHT_WRITE, &sender);
	if (error)
		return error;
	error = sender.object->type == &channel_sender_type ? space_set_pager(as, &sender)
							    : -EINVAL;
	handle_drop(&sender);
	return error;
}

long sys_aspace_set_pager(int fd, int sender)
{
	struct space *space;
	struct aspace *as;
	int error = aspace_get_by_handle(fd, RIGHT_CONTROL, &as, &space);

	if (error)
		return error;
	error = set_pager(as, sender);
	space_put(space);
	return error;
}
