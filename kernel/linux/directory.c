/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading directories and standing in them: getdents64(2), getcwd(2), chdir(2), chroot(2). */
#include <lib/string.h>
#include <linux/user_path.h>
#include <mm/slab.h>
#include <vfs/notify.h>

#include <linux/limits.h>
#include <syscall_prototypes.h>

/* getdents(2). The 64-bit record is the kernel's ABI without a uapi header. */
struct dirent64 {
	u64 ino;
	s64 next_offset;
	u16 size;
	u8 type;
	char name[];
};
static_assert(offsetof(struct dirent64, name) == 19);

struct dirent_old {
	unsigned long ino, next_offset;
	u16 size;
	char name[]; /* then a byte of padding, then the type in the last byte */
};
static_assert(offsetof(struct dirent_old, name) == 18);

/* Records are gathered in a kernel buffer, since a copy to the user for each would cost more than making it. */
struct listing {
	struct directory_context context;
	char __user *out;
	size_t left; /* in the user's buffer behind what is staged */
	bool old;
	int error;
	struct file *file;
	u64 resume; /* the file's offset in front of the first staged record */
	size_t staged, stage_size;
	char *stage;
};

static int flush(struct listing *l)
{
	if (copy_to_user(l->out, l->stage, l->staged)) {
		l->file->offset = l->resume;
		l->left += l->staged;
		l->staged = 0;
		return -EFAULT;
	}
	l->out += l->staged;
	l->staged = 0;
	return 0;
}

static bool emit(struct directory_context *ctx, const char *name, size_t length, u64 ino,
		 unsigned type, u64 next_offset)
{
	struct listing *l = container_of(ctx, struct listing, context);
	size_t size = l->old ? ALIGN_UP(offsetof(struct dirent_old, name) + length + 2, 8)
			     : ALIGN_UP(offsetof(struct dirent64, name) + length + 1, 8);

	if (size > l->left) {
		l->error = -EINVAL; /* for a buffer that holds not even one record */
		return false;
	}
	if (size > l->stage_size - l->staged) {
		l->error = flush(l);
		if (l->error)
			return false;
	}
	if (!l->staged)
		l->resume = l->file->offset;
	memset(l->stage + l->staged, 0, size);
	if (l->old) {
		struct dirent_old *d = (void *)(l->stage + l->staged);

		d->ino = ino;
		d->next_offset = next_offset;
		d->size = (u16)size;
		memcpy(d->name, name, length);
		l->stage[l->staged + size - 1] = (char)type;
	} else {
		struct dirent64 *d = (void *)(l->stage + l->staged);

		d->ino = ino;
		d->next_offset = (s64)next_offset;
		d->size = (u16)size;
		d->type = (u8)type;
		memcpy(d->name, name, length);
	}
	l->staged += size;
	l->left -= size;
	return true;
}

static int read_entries(struct file *file, struct listing *l)
{
	struct inode *inode = file->inode;
	int result, copied = 0;

	mutex_guard(&file->offset_lock);
	read_guard(&inode->lock);
	if (file->dentry && (file->dentry->flags & DENTRY_UNLINKED))
		return -ENOENT;
	result = file->ops->read_directory(file, &l->context);
	/* What was found before an error counts first, and is there; the error comes again. */
	if (l->staged)
		copied = flush(l);
	if (!result)
		file_accessed(file);
	return copied ? copied : result;
}

static long list(unsigned fd, char __user *out, size_t size, bool old)
{
	struct listing l = {
		.context.emit = emit, .out = out, .left = size, .old = old, .stage_size = PAGE_SIZE
	};
	int result;

	FILE_OR_RETURN(b, (int)fd, RIGHT_READ);
	l.stage = kmalloc(l.stage_size, 0);
	if (!l.stage)
		return -ENOMEM;
	l.file = b.file;
	result = read_entries(b.file, &l);
	kfree(l.stage);
	if (!result)
		notify_file(b.file, IN_ACCESS);
	if (l.left < size)
		return (long)(size - l.left);
	return result ? result : l.error;
}

long sys_getdents64(unsigned fd, void __user *buf, unsigned count)
{
	return list(fd, buf, count, false);
}

long sys_getdents(unsigned fd, void __user *buf, unsigned count)
{
	return list(fd, buf, count, true);
}

long sys_getcwd(void __user *buf, unsigned long size)
{
	struct path cwd;
	char *buffer = kmalloc(PATH_MAX, 0), *text;
	size_t length;
	long result;

	if (!buffer)
		return -ENOMEM;
	fs_context_paths(current_fs(), nullptr, &cwd);
	text = path_text(&cwd, nullptr, buffer, PATH_MAX);
	if (cwd.dentry->flags & DENTRY_UNLINKED) {
		result = -ENOENT;
	} else if (!text) {
		result = -ENAMETOOLONG;
	} else {
		length = strlen(text) + 1;
		result = length > size			   ? -ERANGE
			 : copy_to_user(buf, text, length) ? -EFAULT
							   : (long)length;
	}
	path_put(&cwd);
	kfree(buffer);
	return result;
}

static int enter(const struct path *path)
{
	int result = inode_permission(path->dentry->inode, MAY_EXEC);

	if (!result)
		fs_context_set_working_directory(current_fs(), path);
	return result;
}

long sys_chdir(const char __user *user)
{
	struct path path;
	int result;

	USER_PATH_OR_RETURN(text, user);
	result = path_lookup(AT_FDCWD, text, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &path);
	if (result)
		return result;
	result = enter(&path);
	path_put(&path);
	return result;
}

long sys_fchdir(int fd)
{
	struct path path;

	FILE_OR_RETURN(b, fd, 0);
	if (!b.file->dentry || !S_ISDIR(b.file->inode->mode))
		return -ENOTDIR;
	path = (struct path){ b.file->mount, b.file->dentry };
	return path_check_confined(&path) ?: enter(&path);
}

long sys_chroot(const char __user *user)
{
	struct path path;
	int result;

	USER_PATH_OR_RETURN(text, user);
	result = path_lookup(AT_FDCWD, text, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &path);
	if (result)
		return result;
	result = inode_permission(path.dentry->inode, MAY_EXEC);
	if (!result && !capable(CAP_SYS_CHROOT))
		result = -EPERM;
	if (!result)
		fs_context_set_root(current_fs(), &path);
	path_put(&path);
	return result;
}
