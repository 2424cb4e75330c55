/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mapping what a handle names: for mmap(2) and the native call alike. */
#include <lib/errno.h>
#include <mm/aspace.h>
#include <mm/memory_object.h>
#include <obj/file.h>
#include <vfs/vfs.h>

#include <linux/mman.h>
#include <linux/mount.h>

/* What the way a file was opened, its handle's rights and its mount allow a mapping of it. */
static int file_map_rights(struct file *file, bool may_write, const struct map_request *req,
			   u64 *may)
{
	bool shared = (req->flags & MAP_TYPE) != MAP_PRIVATE;

	if (!(file->mode & FILE_MODE_READ))
		return -EACCES;
	*may = VMA_MAY_READ | VMA_MAY_EXEC;
	if (file->mount && file->mount->flags & MS_NOEXEC) {
		if (req->prot & PROT_EXEC)
			return -EPERM;
		*may &= ~VMA_MAY_EXEC;
	}
	if (!shared || (may_write && file->mode & FILE_MODE_WRITE))
		*may |= VMA_MAY_WRITE;
	return shared && req->prot & PROT_WRITE && !(*may & VMA_MAY_WRITE) ? -EACCES : 0;
}

/* A file that was opened for reading has MAP and READ: who lacks them was given less than that. */
static int file_to_map(struct pool *pool, int fd, struct file **out, bool *may_write)
{
	struct object *object;
	int err = handle_get(pool, fd, &file_type, RIGHT_MAP | RIGHT_READ | RIGHT_WRITE, &object);

	*may_write = !err;
	if (err == -EACCES)
		err = handle_get(pool, fd, &file_type, RIGHT_MAP | RIGHT_READ, &object);
	if (err)
		return err == -EINVAL ? -EBADF : err;
	*out = file_of(object);
	return 0;
}

int vfs_map(struct aspace *as, struct pool *pool, int fd, struct map_request *req, vaddr_t *out)
{
	struct file *file;
	bool may_write;
	int err = file_to_map(pool, fd, &file, &may_write);

	if (err)
		return err;
	err = file_map_rights(file, may_write, req, &req->may);
	req->file = file;
	req->derivation = derivation_in_use(&file->object);
	if (!err)
		err = file->ops->map(file, req);
	if (!err) {
		/* A file without an object of its own asked for anonymous memory (/dev/zero). */
		if (!req->object && !(req->vma_flags & VMA_DEVICE))
			req->offset = 0;
		err = aspace_map(as, req, out);
		if (req->object_owned)
			memory_object_put(req->object);
	}
	derivation_handle_closed(req->derivation);
	file_put(file);
	return err;
}
