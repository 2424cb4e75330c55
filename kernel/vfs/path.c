/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Path look-up (path_resolution(7)).
 *
 * Most look-ups find every component in the dentry cache and meet no symbolic link. For them there is a fast walk: under
 * RCU, without taking a reference or a lock on the way. It gets references on the result only, then checks that the
 * name space did not change meanwhile (rules D3 and M1). Whatever it cannot do, errors included, it leaves to the walk
 * with references (walk.c).
 */
#include <lib/errno.h>
#include <lib/string.h>
#include <proc/silo.h>
#include <vfs/mount_priv.h>
#include <vfs/permission.h>
#include <vfs/walk.h>

#include <linux/fcntl.h>

#define FAST_FLAGS (LOOKUP_FOLLOW | LOOKUP_DIRECTORY | LOOKUP_EMPTY)

/* The fast walk met something that needs the other one. */
#define NOT_FAST 1

/* Where a fast walk begins; borrowed, under RCU. `file` is dirfd's, or null. */
static void fast_start(const char *text, const struct file *file, struct path *at,
		       struct path *root)
{
	struct fs_context *fs = current_fs();

	spin_guard(&fs->lock);
	*root = fs->root;
	if (*text == '/')
		*at = fs->root;
	else if (file)
		*at = (struct path){ file->mount, file->dentry };
	else
		*at = fs->working_directory;
}

static inline void fast_up(struct path *at, const struct path *root)
{
	while (at->dentry == at->mount->root) {
		struct mount *mount = at->mount;

		if ((at->dentry == root->dentry && mount == root->mount) || !mount->parent)
			return;
		at->dentry = mount->mountpoint;
		at->mount = mount->parent;
	}
	if (at->dentry != root->dentry || at->mount != root->mount)
		at->dentry = at->dentry->parent;
}

static inline int fast_mounted(struct path *at)
{
	while (READ_ONCE(at->dentry->flags) & DENTRY_MOUNTPOINT) {
		struct mount *mount = mount_find_rcu(at->mount, at->dentry);

		if (!mount)
			break;
		at->mount = mount;
		at->dentry = mount->root;
	}
	return 0;
}

/* Walks to the end: 0, NOT_FAST, or -ENOENT at a negative dentry. All borrowed, under RCU. */
static int fast_components(const char *p, struct path *at, const struct path *root, u32 flags)
{
	for (;;) {
		struct inode *inode;
		struct name name;
		u32 hash = NAME_HASH_START;

		while (*p == '/')
			p++;
		if (!*p)
			return 0;
		inode = at->dentry->inode;
		if (!S_ISDIR(inode->mode) ||
		    (READ_ONCE(at->dentry->flags) & DENTRY_OWN_PERMISSION) ||
		    inode_search_permission(inode))
			return NOT_FAST;
		name.text = p;
		do
			hash = name_hash_step(hash, *p++);
		while (*p && *p != '/');
		name.length = (u32)(p - name.text);
		name.hash = hash;
		if (name.text[0] == '.' && name.length <= 2) {
			if (name.length == 1)
				continue;
			if (name.text[1] == '.') {
				fast_up(at, root);
				fast_mounted(at);
				continue;
			}
		}
		at->dentry = dcache_find_rcu(at->dentry, &name);
		if (!at->dentry || (READ_ONCE(at->dentry->flags) & DENTRY_REVALIDATE))
			return NOT_FAST;
		inode = rcu_dereference(at->dentry->inode);
		if (!inode)
			return -ENOENT;
		/* Links, and what slashes follow although it is no directory. */
		if (!S_ISDIR(inode->mode) &&
		    (*p || (S_ISLNK(inode->mode) && (flags & LOOKUP_FOLLOW))))
			return NOT_FAST;
		fast_mounted(at);
	}
}

static int fast_walk(const char *text, const struct file *file, u32 flags, struct path *out)
{
	u32 sequence = namespace_read_begin();
	struct path at, root;
	bool held;
	int result;

	if (sequence & 1)
		return NOT_FAST;
	rcu_read_lock();
	fast_start(text, file, &at, &root);
	result = fast_components(text, &at, &root, flags);
	if (result) {
		rcu_read_unlock();
		return namespace_read_valid(sequence) ? result : NOT_FAST;
	}
	held = dentry_get_unless_dead(at.dentry);
	if (held && !mount_get_unless_zero(at.mount)) {
		rcu_read_unlock();
		dentry_put(at.dentry);
		return NOT_FAST;
	}
	rcu_read_unlock();
	if (!held)
		return NOT_FAST;
	*out = at;
	if (!namespace_read_valid(sequence) ||
	    ((flags & LOOKUP_DIRECTORY) && !S_ISDIR(at.dentry->inode->mode))) {
		path_put(&at);
		return NOT_FAST;
	}
	return 0;
}

/* All components of a walk that was started with this result; ends it. */
static int walk_through(struct walk *w, int result, const char *text, struct path *out)
{
	bool again;

	do {
		if (!result)
			result = walk_to_parent(w);
		again = false;
		if (!result)
			result = walk_last(w, &again);
	} while (again);
	if (!result && ((w->flags & LOOKUP_DIRECTORY) || (w->trailing && *text)) &&
	    !S_ISDIR(w->at.dentry->inode->mode))
		result = -ENOTDIR;
	if (!result) {
		*out = w->at;
		path_get(out);
	}
	walk_end(w);
	return result;
}

static int slow_walk(int dirfd, const char *text, u32 flags, struct path *out)
{
	struct walk w;

	return walk_through(&w, walk_start(&w, dirfd, text, flags), text, out);
}

int path_lookup_in(const struct path *root, const char *text, u32 flags, struct path *out)
{
	struct walk w;

	return walk_through(&w, walk_start_in(&w, root, text, flags), text, out);
}

/* The fast walk for a path that may begin at a handle. */
static int try_fast(int dirfd, const char *text, u32 flags, struct path *out)
{
	struct file *file = nullptr;
	int result;

	if ((flags & ~FAST_FLAGS) || !*text)
		return NOT_FAST;
	if (*text != '/' && dirfd != AT_FDCWD) {
		if (!task_pool() || task_is_confined() ||
		    file_from_handle(task_pool(), dirfd, 0, &file))
			return NOT_FAST;
		if (!file->dentry) {
			file_put(file);
			return NOT_FAST;
		}
	}
	result = fast_walk(text, file, flags, out);
	if (file)
		file_put(file);
	return result;
}

int path_lookup(int dirfd, const char *text, u32 flags, struct path *out)
{
	int result = try_fast(dirfd, text, flags, out);

	return likely(result <= 0) ? result : slow_walk(dirfd, text, flags, out);
}

int path_lookup_parent(int dirfd, const char *text, u32 flags, struct path *dir, const char **last,
		       size_t *last_length, bool *trailing)
{
	struct walk w;
	int result = walk_start(&w, dirfd, text, flags);

	if (!result)
		result = walk_to_parent(&w);
	if (!result) {
		*dir = w.at;
		path_get(dir);
		*last = w.kind == WALK_NONE ? "." : w.last.text;
		*last_length = w.kind == WALK_NONE ? 1 : w.last.length;
		*trailing = w.trailing;
	}
	walk_end(&w);
	return result;
}

void path_parent(const struct path *path, struct path *out)
{
	spin_lock(&namespace_lock);
	*out = (struct path){ path->mount, path->dentry };
	/* A file that is mounted alone is looked for where its mount lies. */
	while (out->dentry == out->mount->root && !S_ISDIR(out->dentry->inode->mode) &&
	       out->mount->parent)
		*out = (struct path){ out->mount->parent, out->mount->mountpoint };
	if (out->dentry != out->mount->root)
		out->dentry = out->dentry->parent;
	path_get(out);
	spin_unlock(&namespace_lock);
}

int path_child(const struct path *dir, const char *text, struct path *out)
{
	size_t length = strlen(text);
	struct name name = { text, (u32)length, name_hash(text, length) };
	struct dentry *child;
	int result = S_ISDIR(dir->dentry->inode->mode) ? dentry_lookup(dir->dentry, &name, &child)
						       : -ENOTDIR;

	if (result)
		return result;
	if (!child->inode) {
		dentry_put(child);
		return -ENOENT;
	}
	mount_get(dir->mount);
	*out = (struct path){ dir->mount, child };
	mount_step_up(out);
	return 0;
}
