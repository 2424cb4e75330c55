/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * POSIX access control lists.
 *
 * (A1) An inode's lists are in acl_access and acl_default, null where the mode says everything. A file system that stores
 *      lists sets both before the inode is published; from then on only this file changes them, under inode->lock, and
 *      frees the old one after a grace period, so permission checks of a path walk read them without a lock.
 * (A2) The permission bits of the mode and the list agree: owner and other are equal, the group bits are the mask's.
 *      chmod changes the list (posix_acl_change_mode), setting a list changes the mode.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <vfs/posix_acl.h>
#include <vfs/vfs.h>

#include <linux/xattr.h>

static int acl_create(u32 count, struct posix_acl **out)
{
	struct posix_acl *acl = kmalloc(sizeof(*acl) + count * sizeof(acl->entries[0]), 0);

	if (!acl)
		return -ENOMEM;
	acl->count = count;
	*out = acl;
	return 0;
}

static int acl_copy(const struct posix_acl *from, struct posix_acl **out)
{
	int result = acl_create(from->count, out);

	if (!result)
		memcpy((*out)->entries, from->entries, from->count * sizeof(from->entries[0]));
	return result;
}

void posix_acl_free(struct posix_acl *acl)
{
	kfree(acl);
}

static void free_rcu(struct rcu_head *rcu)
{
	kfree(container_of(rcu, struct posix_acl, rcu));
}

static void acl_replace(struct posix_acl **slot, struct posix_acl *acl)
{
	struct posix_acl *old = *slot;

	rcu_assign(*slot, acl);
	if (old)
		rcu_call(&old->rcu, free_rcu);
}

/* The order in which kinds of entries come, acl(5); 0: no such kind. */
static unsigned tag_rank(u16 tag)
{
	switch (tag) {
	case ACL_USER_OBJ:
		return 1;
	case ACL_USER:
		return 2;
	case ACL_GROUP_OBJ:
		return 3;
	case ACL_GROUP:
		return 4;
	case ACL_MASK:
		return 5;
	case ACL_OTHER:
		return 6;
	default:
		return 0;
	}
}

/* acl_valid(3): each of user, group, other once, named ones in their places, a mask if there are any of those. */
static bool acl_is_valid(const struct posix_acl *acl)
{
	unsigned seen = 0, last = 0;

	for (u32 i = 0; i < acl->count; i++) {
		const struct posix_acl_entry *e = &acl->entries[i];
		unsigned rank = tag_rank(e->tag);
		bool named = e->tag == ACL_USER || e->tag == ACL_GROUP;

		if (!rank || rank < last || (rank == last && !named))
			return false;
		if ((e->permissions & ~07) || (named && e->id == UINT32_MAX))
			return false;
		last = rank;
		seen |= e->tag;
	}
	if ((seen & (ACL_USER | ACL_GROUP)) && !(seen & ACL_MASK))
		return false;
	return (seen & ACL_USER_OBJ) && (seen & ACL_GROUP_OBJ) && (seen & ACL_OTHER);
}

int posix_acl_from_xattr(const void *value, size_t size, struct posix_acl **out)
{
	const struct posix_acl_xattr_header *header = value;
	const struct posix_acl_xattr_entry *from;
	struct posix_acl *acl;
	size_t count;

	*out = nullptr;
	if (!size)
		return 0;
	if (size < sizeof(*header))
		return -EINVAL;
	if (header->a_version != POSIX_ACL_XATTR_VERSION)
		return -EOPNOTSUPP;
	size -= sizeof(*header);
	count = size / sizeof(*from);
	if (size % sizeof(*from))
		return -EINVAL;
	if (!count)
		return 0;
	if (acl_create((u32)count, &acl))
		return -ENOMEM;
	from = (const void *)(header + 1);
	for (size_t i = 0; i < count; i++)
		acl->entries[i] =
			(struct posix_acl_entry){ from[i].e_tag, from[i].e_perm, from[i].e_id };
	if (!acl_is_valid(acl)) {
		posix_acl_free(acl);
		return -EINVAL;
	}
	*out = acl;
	return 0;
}

ssize_t posix_acl_to_xattr(const struct posix_acl *acl, void *value, size_t size)
{
	struct posix_acl_xattr_header *header = value;
	struct posix_acl_xattr_entry *to;
	size_t length = sizeof(*header) + acl->count * sizeof(*to);

	if (!size)
		return (ssize_t)length;
	if (size < length)
		return -ERANGE;
	header->a_version = POSIX_ACL_XATTR_VERSION;
	to = (void *)(header + 1);
	for (u32 i = 0; i < acl->count; i++) {
		const struct posix_acl_entry *e = &acl->entries[i];
		bool named = e->tag == ACL_USER || e->tag == ACL_GROUP;

		to[i].e_tag = e->tag;
		to[i].e_perm = e->permissions;
		to[i].e_id = named ? e->id : (u32)ACL_UNDEFINED_ID;
	}
	return (ssize_t)length;
}

/* The entry whose permissions are the group bits of the mode. */
static struct posix_acl_entry *group_class(struct posix_acl *acl)
{
	struct posix_acl_entry *group = nullptr;

	for (u32 i = 0; i < acl->count; i++) {
		if (acl->entries[i].tag == ACL_MASK)
			return &acl->entries[i];
		if (acl->entries[i].tag == ACL_GROUP_OBJ)
			group = &acl->entries[i];
	}
	return group;
}

int posix_acl_permission(const struct inode *inode, const struct posix_acl *acl, u32 mask)
{
	const struct credentials *c = current_credentials();
	u32 limit = (READ_ONCE(inode->mode) >> 3) & 07;
	bool in_group = false;

	for (u32 i = 0; i < acl->count; i++) {
		const struct posix_acl_entry *e = &acl->entries[i];

		switch (e->tag) {
		case ACL_USER_OBJ:
			if (c->fsuid == inode->uid)
				return mask & ~(u32)e->permissions ? -EACCES : 0;
			break;
		case ACL_USER:
			if (c->fsuid == e->id)
				return mask & ~(e->permissions & limit) ? -EACCES : 0;
			break;
		case ACL_GROUP_OBJ:
		case ACL_GROUP:
			if (!credentials_in_group(c, e->tag == ACL_GROUP ? e->id : inode->gid))
				break;
			in_group = true;
			if (!(mask & ~(e->permissions & limit)))
				return 0;
			break;
		case ACL_OTHER:
			return in_group || (mask & ~(u32)e->permissions) ? -EACCES : 0;
		default:
			break;
		}
	}
	return -EACCES;
}

/* The permission bits of a mode that the list stands for; *extended: it says more than they can. */
static u32 acl_mode(struct posix_acl *acl, bool *extended)
{
	u32 mode = (u32)group_class(acl)->permissions << 3;

	*extended = false;
	for (u32 i = 0; i < acl->count; i++) {
		const struct posix_acl_entry *e = &acl->entries[i];

		if (e->tag == ACL_USER_OBJ)
			mode |= (u32)e->permissions << 6;
		else if (e->tag == ACL_OTHER)
			mode |= e->permissions;
		else if (e->tag != ACL_GROUP_OBJ)
			*extended = true;
	}
	return mode;
}

/* Sets what the list has of the mode to `mode`, of which it keeps what it had only if `narrow`. */
static void acl_set_mode(struct posix_acl *acl, u32 mode, bool narrow)
{
	struct posix_acl_entry *group = group_class(acl);

	for (u32 i = 0; i < acl->count; i++) {
		struct posix_acl_entry *e = &acl->entries[i];
		u32 keep = narrow ? e->permissions : 07;

		if (e->tag == ACL_USER_OBJ)
			e->permissions = (u16)(mode >> 6 & keep);
		else if (e == group)
			e->permissions = (u16)(mode >> 3 & keep);
		else if (e->tag == ACL_OTHER)
			e->permissions = (u16)(mode & keep);
		e->permissions &= 07;
	}
}

u32 posix_acl_new_mode(const struct inode *dir, u32 mode)
{
	if (unlikely(READ_ONCE(dir->acl_default)))
		return mode;
	return mode & ~(current_fs()->umask & 0777);
}

int posix_acl_inherit(struct inode *inode, const struct inode *dir)
{
	struct posix_acl *access;
	bool extended;
	u32 mode;

	if (likely(!dir || !dir->acl_default) || S_ISLNK(inode->mode))
		return 0;
	if (acl_copy(dir->acl_default, &access))
		return -ENOMEM;
	if (S_ISDIR(inode->mode) && acl_copy(dir->acl_default, &inode->acl_default)) {
		posix_acl_free(access);
		return -ENOMEM;
	}
	acl_set_mode(access, inode->mode, true);
	mode = acl_mode(access, &extended);
	inode->mode = (inode->mode & ~0777u) | mode;
	if (extended)
		inode->acl_access = access;
	else
		posix_acl_free(access);
	return 0;
}

void posix_acl_forget(struct inode *inode)
{
	acl_replace(&inode->acl_access, nullptr);
	acl_replace(&inode->acl_default, nullptr);
}

int posix_acl_change_mode(struct inode *inode)
{
	struct posix_acl *acl;
	int result;

	if (likely(!inode->acl_access))
		return 0;
	if (acl_copy(inode->acl_access, &acl))
		return -ENOMEM;
	acl_set_mode(acl, inode->mode, false);
	result = inode->ops->set_acl(inode, ACL_TYPE_ACCESS, acl, inode->mode);
	if (result)
		posix_acl_free(acl);
	else
		acl_replace(&inode->acl_access, acl);
	return result;
}

static bool is_default(const char *name)
{
	return strcmp(name, XATTR_NAME_POSIX_ACL_DEFAULT) == 0;
}

bool posix_acl_is_xattr(const struct inode *inode, const char *name)
{
	return inode->ops && inode->ops->set_acl && !S_ISLNK(inode->mode) &&
	       (is_default(name) || strcmp(name, XATTR_NAME_POSIX_ACL_ACCESS) == 0);
}

ssize_t posix_acl_get_xattr(const struct inode *inode, const char *name, void *value, size_t size)
{
	const struct posix_acl *acl = is_default(name) ? inode->acl_default : inode->acl_access;

	return acl ? posix_acl_to_xattr(acl, value, size) : -ENODATA;
}

/* Stores a list, which moves in on success, with the mode that follows from it. */
static int store_acl(struct inode *inode, int type, struct posix_acl *acl)
{
	bool access = type == ACL_TYPE_ACCESS, extended = true;
	u32 mode = inode->mode;
	int result;

	if (access && acl) {
		mode = (mode & ~0777u) | acl_mode(acl, &extended);
		if ((mode & S_ISGID) && !capable(CAP_FSETID) &&
		    !credentials_in_group(current_credentials(), inode->gid))
			mode &= ~(u32)S_ISGID;
	}
	result = inode->ops->set_acl(inode, type, extended ? acl : nullptr, mode);
	if (result)
		return result;
	spin_lock(&inode->state_lock);
	inode->mode = mode;
	inode->changed = inode_time_now();
	spin_unlock(&inode->state_lock);
	acl_replace(access ? &inode->acl_access : &inode->acl_default, extended ? acl : nullptr);
	if (!extended)
		posix_acl_free(acl);
	return 0;
}

int posix_acl_set_xattr(struct inode *inode, const char *name, const void *value, size_t size)
{
	int type = is_default(name) ? ACL_TYPE_DEFAULT : ACL_TYPE_ACCESS;
	struct posix_acl *acl;
	int result = posix_acl_from_xattr(value, size, &acl);

	if (result)
		return result;
	if (type == ACL_TYPE_DEFAULT && !S_ISDIR(inode->mode))
		result = acl ? -EACCES : 0;
	else
		result = store_acl(inode, type, acl);
	if (result)
		posix_acl_free(acl);
	return result;
}

static int list_name(const char *name, char *list, size_t *used, size_t size)
{
	size_t length = strlen(name) + 1;

	if (size) {
		if (size - *used < length)
			return -ERANGE;
		memcpy(list + *used, name, length);
	}
	*used += length;
	return 0;
}

ssize_t posix_acl_list_xattr(const struct inode *inode, char *list, size_t used, size_t size)
{
	int result = 0;

	if (inode->acl_access)
		result = list_name(XATTR_NAME_POSIX_ACL_ACCESS, list, &used, size);
	if (!result && inode->acl_default)
		result = list_name(XATTR_NAME_POSIX_ACL_DEFAULT, list, &used, size);
	return result ? result : (ssize_t)used;
}
