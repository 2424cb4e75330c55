/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POSIX access control lists as ext4 stores them: attributes whose entries have an id only where it means something. */
#include <fs/ext4/ext4_priv.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <vfs/posix_acl.h>

static bool has_id(u16 tag)
{
	return tag == ACL_USER || tag == ACL_GROUP;
}

/* From the form on the disk to that of the attribute that users see, which posix_acl_from_xattr checks. */
static int decode(const char *value, size_t size, struct posix_acl **out)
{
	struct posix_acl_xattr_header *header;
	struct posix_acl_xattr_entry *entry;
	size_t at = sizeof(u32);
	u32 version;
	int result;

	if (size < at)
		return -EINVAL;
	memcpy(&version, value, sizeof(version));
	if (version != EXT4_ACL_VERSION)
		return -EINVAL;
	header = kzalloc(sizeof(*header) + size / 4 * sizeof(*entry), 0);
	if (!header)
		return -ENOMEM;
	header->a_version = POSIX_ACL_XATTR_VERSION;
	entry = (void *)(header + 1);
	while (at + 4 <= size) {
		struct ext4_acl_entry e = { .e_id = UINT32_MAX };
		size_t length = 4;

		memcpy(&e, value + at, 4);
		if (has_id(e.e_tag)) {
			length = 8;
			if (at + length > size)
				break;
			memcpy(&e, value + at, length);
		}
		*entry++ = (struct posix_acl_xattr_entry){ e.e_tag, e.e_perm, e.e_id };
		at += length;
	}
	result = at == size ? posix_acl_from_xattr(header, (size_t)((char *)entry - (char *)header),
						   out)
			    : -EINVAL;
	kfree(header);
	return result;
}

static size_t encode(const struct posix_acl *acl, char *value)
{
	u32 version = EXT4_ACL_VERSION;
	size_t at = sizeof(version);

	memcpy(value, &version, sizeof(version));
	for (u32 i = 0; i < acl->count; i++) {
		struct ext4_acl_entry e = { acl->entries[i].tag, acl->entries[i].permissions,
					    acl->entries[i].id };
		size_t length = has_id(e.e_tag) ? 8 : 4;

		memcpy(value + at, &e, length);
		at += length;
	}
	return at;
}

static int load(struct ext4_inode *inode, u8 index, struct posix_acl **out)
{
	ssize_t size = ext4_xattr_get(inode, index, "", nullptr, 0);
	char *value;
	int result;

	if (size < 0)
		return size == -ENODATA ? 0 : (int)size;
	value = kmalloc((size_t)size + 1, 0);
	if (!value)
		return -ENOMEM;
	size = ext4_xattr_get(inode, index, "", value, (size_t)size);
	result = size < 0 ? (int)size : decode(value, (size_t)size, out);
	kfree(value);
	if (result == -EINVAL)
		result = ext4_error(inode->fs, -EUCLEAN, "the access list of inode %u is damaged",
				    inode->number);
	return result;
}

int ext4_acl_load(struct ext4_inode *inode)
{
	u32 kind = inode->inode.mode & S_IFMT;
	int result;

	if (kind == S_IFLNK || (!inode->xattr_block && !inode->extra_size))
		return 0;
	result = load(inode, EXT4_XATTR_ACL_ACCESS, &inode->inode.acl_access);
	if (!result && kind == S_IFDIR)
		result = load(inode, EXT4_XATTR_ACL_DEFAULT, &inode->inode.acl_default);
	return result;
}

static int store(struct journal_handle *handle, struct ext4_inode *inode, int type,
		 const struct posix_acl *acl)
{
	u8 index = type == ACL_TYPE_ACCESS ? EXT4_XATTR_ACL_ACCESS : EXT4_XATTR_ACL_DEFAULT;
	char *value = nullptr;
	size_t size = 0;
	int result;

	if (acl) {
		value = kmalloc(sizeof(u32) + acl->count * sizeof(struct ext4_acl_entry), 0);
		if (!value)
			return -ENOMEM;
		size = encode(acl, value);
	}
	result = ext4_xattr_set(handle, inode, index, "", value, size, 0);
	kfree(value);
	return !acl && result == -ENODATA ? 0 : result;
}

int ext4_acl_store_new(struct journal_handle *handle, struct ext4_inode *inode)
{
	const struct inode *v = &inode->inode;
	int result = 0;

	if (v->acl_default)
		result = store(handle, inode, ACL_TYPE_DEFAULT, v->acl_default);
	if (!result && v->acl_access)
		result = store(handle, inode, ACL_TYPE_ACCESS, v->acl_access);
	return result;
}

int ext4_set_acl(struct inode *v, int type, const struct posix_acl *acl, u32 mode)
{
	struct ext4_inode *inode = ext4_inode_of(v);
	struct journal_handle handle;
	u32 former = v->mode;
	int result = ext4_inode_is_writable(inode);

	if (!result && inode->fs->no_acl)
		result = -EOPNOTSUPP;
	if (!result)
		result = ext4_begin(inode->fs, EXT4_CREDITS_XATTR, &handle);
	if (result)
		return result;
	v->mode = mode; /* as it will be stored; the VFS sets it after success */
	result = store(&handle, inode, type, acl);
	if (!result)
		result = ext4_inode_store(&handle, inode);
	v->mode = former;
	journal_end(&handle);
	return result;
}
