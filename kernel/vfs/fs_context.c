/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Root, working directory and umask of tasks. */
#include <lib/errno.h>
#include <mm/slab.h>
#include <proc/task.h>
#include <vfs/dcache.h>
#include <vfs/mount_priv.h>

struct fs_context kernel_fs_context = { .refs = 1,
					.lock = SPINLOCK_INIT(RANK_DENTRY),
					.umask = 022 };

struct fs_context *current_fs(void)
{
	struct task *task = current_task();

	return likely(task && task->fs) ? task->fs : &kernel_fs_context;
}

void path_get(const struct path *p)
{
	mount_get(p->mount);
	dentry_get(p->dentry);
}

void path_put(const struct path *p)
{
	dentry_put(p->dentry);
	mount_put(p->mount);
}

int fs_context_copy(struct fs_context *from, struct fs_context **out)
{
	struct fs_context *fs = kzalloc(sizeof(*fs), 0);

	if (!fs)
		return -ENOMEM;
	fs->refs = 1;
	spin_init(&fs->lock, RANK_DENTRY);
	fs_context_paths(from, &fs->root, &fs->working_directory);
	fs->umask = READ_ONCE(from->umask);
	*out = fs;
	return 0;
}

void fs_context_get(struct fs_context *fs)
{
	__atomic_fetch_add(&fs->refs, 1, __ATOMIC_RELAXED);
}

void fs_context_put(struct fs_context *fs)
{
	if (__atomic_fetch_sub(&fs->refs, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	path_put(&fs->root);
	path_put(&fs->working_directory);
	kfree(fs);
}

void fs_context_paths(struct fs_context *fs, struct path *root, struct path *cwd)
{
	spin_guard(&fs->lock);
	if (root) {
		*root = fs->root;
		path_get(root);
	}
	if (cwd) {
		*cwd = fs->working_directory;
		path_get(cwd);
	}
}

static void replace(struct fs_context *fs, struct path *slot, const struct path *path)
{
	struct path old;

	path_get(path);
	spin_lock(&fs->lock);
	old = *slot;
	*slot = *path;
	spin_unlock(&fs->lock);
	if (old.dentry)
		path_put(&old);
}

void fs_context_set_root(struct fs_context *fs, const struct path *root)
{
	replace(fs, &fs->root, root);
}

void fs_context_set_working_directory(struct fs_context *fs, const struct path *cwd)
{
	replace(fs, &fs->working_directory, cwd);
}
