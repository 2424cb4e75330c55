/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of tmpfs without a place in a tree: memfd_create(2), and the seals that fcntl(2) puts on them.
 *
 * Seals are in the inode, guarded by its lock. F_SEAL_WRITE needs that no writable shared mapping exists; new ones are
 * refused afterwards by map.
 */
#include <core/panic.h>
#include <fs/tmpfs/memfd.h>
#include <fs/tmpfs/tmpfs_priv.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <mm/aspace.h>
#include <vfs/dcache.h>

#include <linux/fcntl.h>
#include <linux/limits.h>

#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)

static struct mount *mount; /* of the superblock that these files live in */

void memfd_init(const struct file_system_type *type)
{
	struct superblock *sb;

	if (tmpfs_superblock_create(type, "size=0,nr_inodes=0", &sb) ||
	    mount_create_internal(sb, &mount))
		panic("no memory for the file system of memfd");
}

int memfd_create(const char *name, bool may_seal, u32 mode, struct file **out)
{
	char text[NAME_MAX + 1];
	struct inode *inode;
	struct path path = { .mount = mount };
	int result = tmpfs_inode_create(mount->superblock, nullptr, S_IFREG | mode, 0, &inode);

	if (result)
		return result;
	inode->links = 0;
	tmpfs_inode_of(inode)->seals = may_seal ? 0 : F_SEAL_SEAL;
	snprintf(text, sizeof(text), "memfd:%s", name);
	result = dentry_create_detached(mount->superblock, inode, text, &path.dentry);
	if (result) {
		inode_put(inode);
		return result;
	}
	__atomic_fetch_or(&path.dentry->flags, DENTRY_UNLINKED, __ATOMIC_SEQ_CST);
	result = vfs_open_unchecked(&path, O_RDWR | O_LARGEFILE, out);
	dentry_put(path.dentry);
	return result;
}

static bool has_writable_mapping(struct memory_object *object)
{
	struct vma *vma;

	mutex_guard(&object->mappings_lock);
	list_for_each (vma, &object->mappings, object_node) {
		if ((vma->flags & VMA_SHARED) && (vma->flags & (VMA_WRITE | VMA_MAY_WRITE)))
			return true;
	}
	return false;
}

int memfd_add_seals(struct file *file, u32 seals)
{
	struct inode *inode = file->inode;
	struct tmpfs_inode *ti = tmpfs_inode_of(inode);

	if (file->ops != &tmpfs_file_ops)
		return -EINVAL;
	if (!(file->mode & FILE_MODE_WRITE))
		return -EPERM;
	if (seals & ~(u32)ALL_SEALS)
		return -EINVAL;
	write_guard(&inode->lock);
	if (ti->seals & F_SEAL_SEAL)
		return -EPERM;
	if ((seals & F_SEAL_WRITE) && !(ti->seals & F_SEAL_WRITE) &&
	    has_writable_mapping(inode->object))
		return -EBUSY;
	ti->seals |= seals;
	return 0;
}

int memfd_get_seals(struct file *file)
{
	return file->ops == &tmpfs_file_ops ? (int)READ_ONCE(tmpfs_inode_of(file->inode)->seals)
					    : -EINVAL;
}
