/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inodes of a server's files: their identity, attributes and how long these are true, extended attributes. */
#include <core/time.h>
#include <fs/fuse/fuse_priv.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <vfs/permission.h>

#include <linux/limits.h>

/* --- time limits --- */

u64 fuse_deadline(u64 seconds, u32 nanoseconds)
{
	u64 span, deadline;

	if (!seconds && !nanoseconds)
		return 0;
	if (mul_overflows(seconds, NSEC_PER_SEC, &span) ||
	    add_overflows(span, (u64)nanoseconds, &span) ||
	    add_overflows(span, clock_monotonic_ns(), &deadline))
		return UINT64_MAX;
	return deadline;
}

void fuse_attributes_expire(struct inode *inode)
{
	WRITE_ONCE(fuse_inode_of(inode)->attributes_until, 0);
}

void fuse_attributes_set(struct inode *inode, const struct fuse_attr *attr, u64 seconds,
			 u32 nanoseconds)
{
	struct fuse_inode *fi = fuse_inode_of(inode);

	spin_lock(&inode->state_lock);
	inode->mode = (inode->mode & S_IFMT) | (attr->mode & 07777);
	inode->uid = attr->uid;
	inode->gid = attr->gid;
	inode->links = attr->nlink;
	inode->blocks = attr->blocks;
	inode->device_number = attr->rdev;
	inode->accessed = (struct inode_time){ (s64)attr->atime, attr->atimensec };
	inode->modified = (struct inode_time){ (s64)attr->mtime, attr->mtimensec };
	inode->changed = (struct inode_time){ (s64)attr->ctime, attr->ctimensec };
	spin_unlock(&inode->state_lock);
	if (S_ISREG(inode->mode) && attr->size != inode->size && attr->size <= INT64_MAX)
		memory_object_truncate(&fi->object, attr->size);
	WRITE_ONCE(inode->size, attr->size);
	WRITE_ONCE(fi->attributes_until, fuse_deadline(seconds, nanoseconds));
}

/* --- inodes --- */

static void free_memory(struct rcu_head *head)
{
	kfree(container_of(head, struct fuse_inode, inode.rcu));
}

void fuse_inode_object_gone(struct fuse_inode *fi)
{
	rcu_call(&fi->inode.rcu, free_memory);
}

static void unlist_locked(struct fuse_connection *c, struct fuse_inode *fi)
	__must_hold(&c->inode_lock)
{
	if (fi->listed)
		rb_erase(&c->inodes, &fi->node, nullptr);
	fi->listed = false;
}

/* Frees what fuse_inode_get() made. */
static void discard(struct fuse_inode *fi)
{
	struct fuse_connection *c = fi->connection;

	if (S_ISREG(fi->inode.mode))
		memory_object_put(&fi->object); /* its destroy frees the memory */
	else
		rcu_call(&fi->inode.rcu, free_memory);
	fuse_connection_put(c);
}

void fuse_forget(struct fuse_connection *c, u64 nodeid, u64 count)
{
	struct fuse_request *r;

	if (!count || nodeid == FUSE_ROOT_ID || fuse_aborted(c) ||
	    fuse_request_create(c, FUSE_FORGET, nodeid, sizeof(struct fuse_forget_in), 0, &r))
		return;
	((struct fuse_forget_in *)fuse_arguments(r))->nlookup = count;
	fuse_send_no_answer(c, r);
}

static void free_inode(struct inode *inode)
{
	struct fuse_inode *fi = fuse_inode_of(inode);
	struct fuse_connection *c = fi->connection;

	spin_lock(&c->inode_lock);
	unlist_locked(c, fi);
	spin_unlock(&c->inode_lock);
	fuse_release_created(fi);
	fuse_forget(c, fi->nodeid, fi->nlookup);
	discard(fi);
}

static struct fuse_inode *find_locked(struct fuse_connection *c, u64 nodeid,
				      struct rb_node **parent, struct rb_node ***link)
	__must_hold(&c->inode_lock)
{
	*link = &c->inodes.root;
	*parent = nullptr;
	while (**link) {
		struct fuse_inode *fi = rb_entry(**link, struct fuse_inode, node);

		if (fi->nodeid == nodeid)
			return fi;
		*parent = **link;
		*link = nodeid < fi->nodeid ? &(*parent)->left : &(*parent)->right;
	}
	return nullptr;
}

/* Puts `made` into the tree and returns it, or the inode that is there already, with a reference. */
static struct fuse_inode *list_or_find(struct fuse_connection *c, struct fuse_inode *made)
{
	struct rb_node *parent, **link;
	struct fuse_inode *fi;

	spin_guard(&c->inode_lock);
	fi = find_locked(c, made->nodeid, &parent, &link);
	if (fi && fi->generation == made->generation &&
	    S_ISDIR(fi->inode.mode) == S_ISDIR(made->inode.mode) &&
	    inode_get_unless_dead(&fi->inode))
		return fi;
	if (fi) {
		unlist_locked(c, fi); /* on its way out, or another file by the same number */
		(void)find_locked(c, made->nodeid, &parent, &link);
	}
	rb_insert(&c->inodes, &made->node, parent, link, nullptr);
	made->listed = true;
	return made;
}

struct inode *fuse_inode_find(struct fuse_connection *c, u64 nodeid)
{
	struct rb_node *parent, **link;
	struct fuse_inode *fi;

	spin_guard(&c->inode_lock);
	fi = find_locked(c, nodeid, &parent, &link);
	return fi && inode_get_unless_dead(&fi->inode) ? &fi->inode : nullptr;
}

static void set_operations(struct fuse_inode *fi)
{
	struct inode *inode = &fi->inode;

	inode->ops = S_ISDIR(inode->mode) ? &fuse_directory_inode_ops : &fuse_inode_ops;
	switch (inode->mode & S_IFMT) {
	case S_IFREG:
		memory_object_init(&fi->object, &fuse_object_ops, 0);
		inode->object = &fi->object;
		inode->file_ops = &fuse_file_ops;
		break;
	case S_IFDIR:
		inode->file_ops = &fuse_directory_ops;
		break;
	default:
		break;
	}
}

int fuse_inode_get(struct superblock *sb, const struct fuse_entry_out *entry,
		   struct inode **out) __no_lock_analysis
{
	struct fuse_connection *c = sb->private;
	struct fuse_inode *made, *fi;

	if (!entry->nodeid || !(entry->attr.mode & S_IFMT) || entry->attr.size > INT64_MAX)
		return -EIO;
	made = kzalloc(sizeof(*made), 0);
	if (!made)
		return -ENOMEM;
	inode_init(&made->inode, entry->attr.mode);
	made->inode.number = entry->attr.ino;
	made->inode.superblock = sb;
	made->inode.free = free_inode;
	made->connection = c;
	made->nodeid = entry->nodeid;
	made->generation = entry->generation;
	spin_init(&made->files_lock, RANK_FUSE);
	list_init(&made->files);
	fuse_connection_get(c);
	set_operations(made);
	fi = list_or_find(c, made);
	if (fi != made)
		discard(made);
	__atomic_fetch_add(&fi->nlookup, 1, __ATOMIC_RELAXED);
	fuse_attributes_set(&fi->inode, &entry->attr, entry->attr_valid, entry->attr_valid_nsec);
	*out = &fi->inode;
	return 0;
}

/* --- attributes --- */

static int get_attributes(struct inode *inode)
{
	const struct fuse_getattr_in in = {};
	struct fuse_attr_out answer;
	const struct fuse_call call = { .opcode = FUSE_GETATTR,
					.nodeid = fuse_inode_of(inode)->nodeid,
					.in = &in,
					.in_size = sizeof(in),
					.out = &answer,
					.out_size = sizeof(answer) };
	int error = fuse_call(fuse_connection_of(inode), &call);

	if (error)
		return error;
	if ((answer.attr.mode ^ inode->mode) & S_IFMT || answer.attr.size > INT64_MAX)
		return -EIO;
	fuse_attributes_set(inode, &answer.attr, answer.attr_valid, answer.attr_valid_nsec);
	return 0;
}

int fuse_attributes_refresh(struct inode *inode)
{
	u64 until = READ_ONCE(fuse_inode_of(inode)->attributes_until);

	return until && clock_monotonic_ns() < until ? 0 : get_attributes(inode);
}

/* Others than who mounted it see nothing unless it was mounted for all: the server could stop or watch them. */
static bool may_use(const struct fuse_connection *c)
{
	const struct credentials *who = current_credentials();
	u32 uid = c->options.uid, gid = c->options.gid;

	return c->options.allow_other || (who->uid == uid && who->euid == uid && who->suid == uid &&
					  who->gid == gid && who->egid == gid && who->sgid == gid);
}

int fuse_get_attributes(struct inode *inode, struct kstat *out)
{
	u64 device = out->device;
	int error = may_use(fuse_connection_of(inode)) ? fuse_attributes_refresh(inode) : -EACCES;

	if (error)
		return error;
	inode_stat(inode, out);
	out->device = device;
	return 0;
}

int fuse_permission(struct inode *inode, u32 mask)
{
	const struct fuse_connection *c = fuse_connection_of(inode);
	int error;

	if (!may_use(c))
		return -EACCES;
	if (!c->options.default_permissions && !((mask & MAY_EXEC) && S_ISREG(inode->mode)))
		return 0; /* the server says no, if it wants */
	error = fuse_attributes_refresh(inode);
	if (error)
		return error;
	if (c->options.default_permissions)
		return inode_mode_permission(inode, mask);
	return inode->mode & 0111 ? 0 : -EACCES;
}

static void encode_attributes(struct inode *inode, const struct inode_attributes *a,
			      struct fuse_setattr_in *in)
{
	static const u16 bits[][2] = {
		{ ATTR_MODE, FATTR_MODE },
		{ ATTR_UID, FATTR_UID },
		{ ATTR_GID, FATTR_GID },
		{ ATTR_SIZE, FATTR_SIZE },
		{ ATTR_ATIME, FATTR_ATIME },
		{ ATTR_MTIME, FATTR_MTIME },
		{ ATTR_ATIME_NOW, FATTR_ATIME | FATTR_ATIME_NOW },
		{ ATTR_MTIME_NOW, FATTR_MTIME | FATTR_MTIME_NOW },
	};
	struct inode_time now = inode_time_now();
	struct inode_time accessed = a->valid & ATTR_ATIME_NOW ? now : a->accessed;
	struct inode_time modified = a->valid & ATTR_MTIME_NOW ? now : a->modified;

	*in = (struct fuse_setattr_in){
		.size = a->size,
		.mode = (inode->mode & S_IFMT) | (a->mode & 07777),
		.uid = a->uid,
		.gid = a->gid,
		.atime = (u64)accessed.seconds,
		.atimensec = accessed.nanoseconds,
		.mtime = (u64)modified.seconds,
		.mtimensec = modified.nanoseconds,
	};
	for (unsigned i = 0; i < ARRAY_SIZE(bits); i++)
		if (a->valid & bits[i][0])
			in->valid |= bits[i][1];
}

int fuse_set_attributes(struct inode *inode, const struct inode_attributes *attr)
{
	struct fuse_setattr_in in;
	struct fuse_attr_out answer;
	const struct fuse_call call = { .opcode = FUSE_SETATTR,
					.nodeid = fuse_inode_of(inode)->nodeid,
					.in = &in,
					.in_size = sizeof(in),
					.out = &answer,
					.out_size = sizeof(answer) };
	int error;

	encode_attributes(inode, attr, &in);
	if (!in.valid)
		return 0;
	error = fuse_call(fuse_connection_of(inode), &call);
	if (error)
		return error;
	if ((answer.attr.mode ^ inode->mode) & S_IFMT || answer.attr.size > INT64_MAX)
		return -EIO;
	fuse_attributes_set(inode, &answer.attr, answer.attr_valid, answer.attr_valid_nsec);
	return 0;
}

/* --- extended attributes --- */

/* GETXATTR and LISTXATTR: the size alone, or the value. */
static ssize_t read_xattr(struct inode *inode, u32 opcode, const char *name, void *value,
			  size_t size)
{
	u32 name_size = name ? (u32)strlen(name) + 1 : 0;
	struct fuse_connection *c = fuse_connection_of(inode);
	struct fuse_getxattr_in *in;
	struct fuse_request *r;
	ssize_t result;
	int error;

	if (__atomic_load_n(&c->unsupported, __ATOMIC_RELAXED) & 1ull << opcode)
		return -EOPNOTSUPP;
	error = fuse_request_create(c, opcode, fuse_inode_of(inode)->nodeid,
				    (u32)sizeof(*in) + name_size,
				    size ? (u32)size : (u32)sizeof(struct fuse_getxattr_out), &r);
	if (error)
		return error;
	in = fuse_arguments(r);
	in->size = (u32)size;
	memcpy(in + 1, name, name_size);
	r->exact = !size;
	error = fuse_send(c, r);
	if (error == -ENOSYS) {
		__atomic_fetch_or(&c->unsupported, 1ull << opcode, __ATOMIC_RELAXED);
		error = -EOPNOTSUPP;
	}
	result = error	? error
		 : size ? (ssize_t)r->out_size
			: (ssize_t)((struct fuse_getxattr_out *)(void *)r->out)->size;
	if (!error && size)
		memcpy(value, r->out, r->out_size);
	fuse_request_put(r);
	return result > XATTR_SIZE_MAX ? -EIO : result;
}

ssize_t fuse_get_xattr(struct inode *inode, const char *name, void *value, size_t size)
{
	return read_xattr(inode, FUSE_GETXATTR, name, value, size);
}

/* A list is names with terminators: the last byte ends one. */
ssize_t fuse_list_xattr(struct inode *inode, char *list, size_t size)
{
	ssize_t n = read_xattr(inode, FUSE_LISTXATTR, nullptr, list, size);

	return n > 0 && size && list[n - 1] ? -EIO : n;
}

int fuse_set_xattr(struct inode *inode, const char *name, const void *value, size_t size, int flags)
{
	struct {
		u32 size, flags;
	} in = { (u32)size, (u32)flags };
	const struct fuse_call call = { .opcode = FUSE_SETXATTR,
					.nodeid = fuse_inode_of(inode)->nodeid,
					.in = &in,
					.in_size = FUSE_COMPAT_SETXATTR_IN_SIZE,
					.text = name,
					.text_size = (u32)strlen(name) + 1,
					.text2 = value,
					.text2_size = (u32)size };
	int error = fuse_call(fuse_connection_of(inode), &call);

	fuse_attributes_expire(inode);
	return error == -ENOSYS ? -EOPNOTSUPP : error;
}

int fuse_remove_xattr(struct inode *inode, const char *name)
{
	const struct fuse_call call = { .opcode = FUSE_REMOVEXATTR,
					.nodeid = fuse_inode_of(inode)->nodeid,
					.text = name,
					.text_size = (u32)strlen(name) + 1 };
	int error = fuse_call(fuse_connection_of(inode), &call);

	fuse_attributes_expire(inode);
	return error == -ENOSYS ? -EOPNOTSUPP : error;
}
