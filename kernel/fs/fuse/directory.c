/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names: looking up, making, removing, listing. A dentry's `private` is the time until which the server's answer is true;
 * after it, the server is asked again. A listing with attributes (READDIRPLUS) enters names and inodes as if they had been looked up.
 */
#include <core/time.h>
#include <fs/fuse/fuse_priv.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <proc/task.h>
#include <vfs/dcache.h>

#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/limits.h>

static void entry_until(struct dentry *dentry, const struct fuse_entry_out *entry)
{
	struct fuse_inode *dir = fuse_inode_of(dentry->parent->inode);
	u64 until = fuse_deadline(entry->entry_valid, entry->entry_valid_nsec);

	__atomic_store_n(&dentry->private, (void *)(uintptr_t)until, __ATOMIC_RELAXED);
	if (until > READ_ONCE(dir->names_until))
		WRITE_ONCE(dir->names_until, until);
}

/* A call on a directory with a name, answered by an entry. */
static int entry_call(struct inode *dir, u32 opcode, const void *in, u32 in_size, const char *name,
		      const char *text2, struct fuse_entry_out *entry)
{
	const struct fuse_call call = { .opcode = opcode,
					.nodeid = fuse_inode_of(dir)->nodeid,
					.in = in,
					.in_size = in_size,
					.text = name,
					.text_size = (u32)strlen(name) + 1,
					.text2 = text2,
					.text2_size = text2 ? (u32)strlen(text2) + 1 : 0,
					.out = entry,
					.out_size = sizeof(*entry) };

	return fuse_call(fuse_connection_of(dir), &call);
}

static int lookup(struct inode *dir, struct dentry *dentry, struct inode **out)
{
	struct fuse_entry_out entry;

	int error = entry_call(dir, FUSE_LOOKUP, nullptr, 0, dentry->name, nullptr, &entry);

	WRITE_ONCE(fuse_inode_of(dir)->names_wanted, true);

	*out = nullptr;
	dentry->private = nullptr;
	if (error)
		return error == -ENOENT ? 0 : error;
	entry_until(dentry, &entry);
	if (!entry.nodeid)
		return 0; /* there is none, and that may be remembered */
	return fuse_inode_get(dir->superblock, &entry, out);
}

/* True if the server still says what the dentry says. */
static bool revalidate(struct dentry *dentry)
{
	u64 until = (uintptr_t)__atomic_load_n(&dentry->private, __ATOMIC_RELAXED);
	struct inode *dir = dentry->parent->inode, *inode = dentry->inode, *now;
	struct fuse_entry_out entry;
	bool same;

	if (until > READ_ONCE(fuse_inode_of(dir)->names_doubted) && clock_monotonic_ns() < until)
		return true;
	if (!inode || entry_call(dir, FUSE_LOOKUP, nullptr, 0, dentry->name, nullptr, &entry) ||
	    !entry.nodeid)
		return false;
	if (fuse_inode_get(dir->superblock, &entry, &now))
		return false;
	same = now == inode;
	inode_put(now);
	if (same)
		entry_until(dentry, &entry);
	return same;
}

/* What a call that makes something answers becomes the new inode. */
static int made(struct inode *dir, struct dentry *dentry, const struct fuse_entry_out *entry,
		u32 kind, struct inode **out)
{
	fuse_attributes_expire(dir);
	if (!entry->nodeid || (entry->attr.mode & S_IFMT) != kind) {
		fuse_forget(fuse_connection_of(dir), entry->nodeid, 1);
		return -EIO;
	}
	entry_until(dentry, entry);
	return fuse_inode_get(dir->superblock, entry, out);
}

static u32 umask_of_current(void)
{
	return current_fs()->umask;
}

/* Makes and opens: the handle waits for the open that follows. */
static int create_open(struct inode *dir, struct dentry *dentry, u32 mode, struct inode **out)
{
	const struct fuse_create_in in = { .flags = O_RDWR | O_CREAT | O_EXCL,
					   .mode = mode,
					   .umask = umask_of_current() };
	struct {
		struct fuse_entry_out entry;
		struct fuse_open_out open;
	} answer;
	const struct fuse_call call = { .opcode = FUSE_CREATE,
					.nodeid = fuse_inode_of(dir)->nodeid,
					.in = &in,
					.in_size = sizeof(in),
					.text = dentry->name,
					.text_size = dentry->name_length + 1,
					.out = &answer,
					.out_size = sizeof(answer) };
	struct fuse_inode *fi;
	int error = fuse_call(fuse_connection_of(dir), &call);

	if (!error)
		error = made(dir, dentry, &answer.entry, S_IFREG, out);
	if (error)
		return error;
	fi = fuse_inode_of(*out);
	write_lock_nested(&fi->inode.lock);
	if (!fi->created_open) {
		fi->created_open = true;
		fi->created_handle = answer.open.fh;
		fi->created_flags = answer.open.open_flags;
	}
	write_unlock(&fi->inode.lock);
	return 0;
}

static int create(struct inode *dir, struct dentry *dentry, u32 mode, u64 device,
		  struct inode **out)
{
	const struct fuse_mknod_in node = { .mode = mode,
					    .rdev = (u32)device,
					    .umask = umask_of_current() };
	const struct fuse_mkdir_in directory = { .mode = mode, .umask = umask_of_current() };
	struct fuse_entry_out entry;
	int error;

	if (S_ISREG(mode)) {
		error = create_open(dir, dentry, mode, out);
		if (error != -ENOSYS)
			return error;
	}
	if (S_ISDIR(mode))
		error = entry_call(dir, FUSE_MKDIR, &directory, sizeof(directory), dentry->name,
				   nullptr, &entry);
	else
		error = entry_call(dir, FUSE_MKNOD, &node, sizeof(node), dentry->name, nullptr,
				   &entry);
	return error ? error : made(dir, dentry, &entry, mode & S_IFMT, out);
}

static int make_symlink(struct inode *dir, struct dentry *dentry, const char *target,
			struct inode **out)
{
	struct fuse_entry_out entry;
	int error = entry_call(dir, FUSE_SYMLINK, nullptr, 0, dentry->name, target, &entry);

	return error ? error : made(dir, dentry, &entry, S_IFLNK, out);
}

static int make_link(struct inode *dir, struct dentry *dentry, struct inode *target)
{
	const struct fuse_link_in in = { .oldnodeid = fuse_inode_of(target)->nodeid };
	struct fuse_entry_out entry;
	struct inode *inode;
	int error = entry_call(dir, FUSE_LINK, &in, sizeof(in), dentry->name, nullptr, &entry);

	if (error)
		return error;
	error = made(dir, dentry, &entry, target->mode & S_IFMT, &inode);
	if (error)
		return error;
	error = inode == target ? 0 : -EIO;
	inode_put(inode);
	return error;
}

static int remove_name(struct inode *dir, struct dentry *dentry, struct inode *target, u32 opcode)
{
	const struct fuse_call call = { .opcode = opcode,
					.nodeid = fuse_inode_of(dir)->nodeid,
					.text = dentry->name,
					.text_size = dentry->name_length + 1 };
	int error = fuse_call(fuse_connection_of(dir), &call);

	fuse_attributes_expire(dir);
	fuse_attributes_expire(target);
	return error == -ENOSYS ? -EPERM : error;
}

static int unlink(struct inode *dir, struct dentry *dentry, struct inode *target)
{
	return remove_name(dir, dentry, target, FUSE_UNLINK);
}

static int remove_directory(struct inode *dir, struct dentry *dentry, struct inode *target)
{
	return remove_name(dir, dentry, target, FUSE_RMDIR);
}

static int do_rename(struct inode *from_dir, struct dentry *from, struct inode *to_dir,
		     struct dentry *to, struct inode *source, struct inode *replaced, u32 flags)
{
	const struct fuse_rename2_in in2 = { .newdir = fuse_inode_of(to_dir)->nodeid,
					     .flags = flags };
	const struct fuse_rename_in in = { .newdir = in2.newdir };
	const struct fuse_call call = { .opcode = flags ? FUSE_RENAME2 : FUSE_RENAME,
					.nodeid = fuse_inode_of(from_dir)->nodeid,
					.in = flags ? (const void *)&in2 : &in,
					.in_size = flags ? sizeof(in2) : sizeof(in),
					.text = from->name,
					.text_size = from->name_length + 1,
					.text2 = to->name,
					.text2_size = to->name_length + 1 };
	int error = fuse_call(fuse_connection_of(from_dir), &call);

	fuse_attributes_expire(from_dir);
	fuse_attributes_expire(to_dir);
	fuse_attributes_expire(source);
	if (replaced)
		fuse_attributes_expire(replaced);
	return error == -ENOSYS ? -EINVAL : error;
}

static int read_link(struct inode *inode, char **text, struct path *path)
{
	struct fuse_connection *c = fuse_connection_of(inode);
	struct fuse_request *r;
	int error = fuse_request_create(c, FUSE_READLINK, fuse_inode_of(inode)->nodeid, 0,
					PATH_MAX - 1, &r);

	if (error)
		return error;
	error = fuse_send(c, r);
	if (!error && (!r->out_size || memchr(r->out, 0, r->out_size)))
		error = -EIO;
	if (!error) {
		*text = kmalloc(r->out_size + 1, 0);
		error = *text ? 0 : -ENOMEM;
	}
	if (!error) {
		memcpy(*text, r->out, r->out_size);
		(*text)[r->out_size] = 0;
	}
	fuse_request_put(r);
	return error;
}

const struct inode_ops fuse_directory_inode_ops = {
	.lookup = lookup,
	.revalidate = revalidate,
	.create = create,
	.symlink = make_symlink,
	.link = make_link,
	.unlink = unlink,
	.rmdir = remove_directory,
	.rename = do_rename,
	.open = fuse_open,
	FUSE_ATTRIBUTE_OPS,
};

const struct inode_ops fuse_inode_ops = {
	.read_link = read_link,
	.open = fuse_open,
	FUSE_ATTRIBUTE_OPS,
};

/* --- listing --- */

/* The entry lies within `left` bytes, and its name is one. */
static bool entry_ok(const struct fuse_dirent *entry, u32 left)
{
	return entry->namelen && entry->namelen <= NAME_MAX && FUSE_DIRENT_SIZE(entry) <= left &&
	       !memchr(entry->name, '/', entry->namelen) && !memchr(entry->name, 0, entry->namelen);
}

static bool is_dot(const struct fuse_dirent *entry)
{
	return entry->name[0] == '.' &&
	       (entry->namelen == 1 || (entry->namelen == 2 && entry->name[1] == '.'));
}

/* What a listing says of a name is as good as a look-up, and counts as one. */
static void enter_entry(struct file *file, const struct fuse_entry_out *entry,
			const struct fuse_dirent *dirent)
{
	struct fuse_file *ff = file->private;
	const struct name name = { dirent->name, dirent->namelen,
				   name_hash(dirent->name, dirent->namelen) };
	u64 until = fuse_deadline(entry->entry_valid, entry->entry_valid_nsec);
	struct dentry *dentry;
	struct inode *inode;

	if (!entry->nodeid || is_dot(dirent))
		return;
	if (fuse_inode_get(file->dentry->superblock, entry, &inode)) {
		fuse_forget(ff->connection, entry->nodeid, 1);
		return;
	}
	if (dentry_enter_locked(file->dentry, &name, inode, (void *)(uintptr_t)until, &dentry))
		return;
	if (dentry->inode == inode)
		entry_until(dentry, entry);
	else
		dentry_drop(dentry); /* the name leads elsewhere now */
	dentry_put(dentry);
}

/*
 * Emits the entries of one answer: 1: go on, 0: the reader's buffer is full, -EIO. With attributes (`plus`) those behind are entered all the
 * same, since the server counts them.
 */
static int emit_entries(struct file *file, struct directory_context *ctx, const u8 *at, u32 left,
			bool plus)
{
	u32 before = plus ? FUSE_NAME_OFFSET_DIRENTPLUS - FUSE_NAME_OFFSET : 0;
	bool full = false;

	while (left >= before + FUSE_NAME_OFFSET) {
		const struct fuse_dirent *entry = (const void *)(at + before);
		size_t size = before + FUSE_DIRENT_SIZE(entry);

		if (!entry_ok(entry, left - before))
			return -EIO;
		full = full || !ctx->emit(ctx, entry->name, entry->namelen, entry->ino, entry->type,
					  entry->off);
		if (!full)
			file->offset = entry->off;
		if (plus)
			enter_entry(file, (const void *)at, entry);
		else if (full)
			break;
		at += size;
		left -= (u32)size;
	}
	return !full;
}

/* Attributes are asked for where they are likely to be wanted: at the beginning, and when names were looked up since. */
static bool wants_attributes(struct file *file, const struct fuse_connection *c)
{
	struct fuse_inode *fi = fuse_inode_of(file->inode);
	u32 flags = READ_ONCE(c->flags);
	bool wanted = !file->offset || READ_ONCE(fi->names_wanted);

	if (!(flags & FUSE_DO_READDIRPLUS))
		return false;
	WRITE_ONCE(fi->names_wanted, false);
	return wanted || !(flags & FUSE_READDIRPLUS_AUTO);
}

/* One request: as emit_entries, and 0 at the end. */
static int read_some(struct file *file, struct directory_context *ctx, bool plus)
{
	struct fuse_file *ff = file->private;
	struct fuse_connection *c = ff->connection;
	struct fuse_read_in *in;
	struct fuse_request *r;
	int result = fuse_request_create(c, plus ? FUSE_READDIRPLUS : FUSE_READDIR, ff->nodeid,
					 sizeof(*in), PAGE_SIZE, &r);

	if (result)
		return result;
	in = fuse_arguments(r);
	*in = (struct fuse_read_in){
		.fh = ff->handle, .offset = file->offset, .size = PAGE_SIZE, .flags = file->flags
	};
	result = fuse_send(c, r);
	if (!result)
		result = r->out_size ? emit_entries(file, ctx, r->out, r->out_size, plus) : 0;
	fuse_request_put(r);
	return result;
}

static int read_directory(struct file *file, struct directory_context *ctx)
{
	struct fuse_connection *c = ((struct fuse_file *)file->private)->connection;
	int result = 1;

	while (result > 0) {
		bool plus = wants_attributes(file, c);

		result = read_some(file, ctx, plus);
		if (plus && result == -ENOSYS) {
			__atomic_fetch_and(&c->flags, ~(u32)FUSE_DO_READDIRPLUS, __ATOMIC_RELAXED);
			result = 1;
		}
	}
	return result;
}

static int sync_directory(struct file *file, bool data_only, u64 start, u64 end)
{
	struct fuse_file *ff = file->private;
	const struct fuse_fsync_in in = { .fh = ff->handle, .fsync_flags = data_only };
	const struct fuse_call call = {
		.opcode = FUSE_FSYNCDIR, .nodeid = ff->nodeid, .in = &in, .in_size = sizeof(in)
	};
	int error = fuse_call(ff->connection, &call);

	return error == -ENOSYS ? 0 : error;
}

static void destroy_directory(struct file *file)
{
	if (file->private)
		fuse_file_ops.destroy(file);
}

const struct file_ops fuse_directory_ops = {
	FILE_OPS_DEFAULTS,	     .read = file_read_eisdir,
	.seek = file_seek_directory, .read_directory = read_directory,
	.sync = sync_directory,	     .destroy = destroy_directory,
};
