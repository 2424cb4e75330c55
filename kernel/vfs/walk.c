/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The walk with references. It keeps a text and a place, takes one component after the other, and puts the rest of
 * the text aside when a symbolic link interrupts it; so depth costs no kernel stack.
 *
 * RESOLVE_* of openat2(2) are checked here: the fast walk leaves paths with such flags alone.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <proc/silo.h>
#include <vfs/mount_priv.h>
#include <vfs/permission.h>
#include <vfs/walk.h>

#include <cairn/silo.h>
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/mount.h>

static bool same_path(const struct path *a, const struct path *b)
{
	return a->dentry == b->dentry && a->mount == b->mount;
}

/* True if `root` is found on the way up from `path`. */
static bool path_is_below(const struct path *path, const struct path *root)
{
	struct path at = *path;
	bool below;

	path_get(&at);
	while (!(below = same_path(&at, root))) {
		struct dentry *parent;

		if (at.dentry == at.mount->root) {
			if (!mount_step_down(&at))
				break;
			continue;
		}
		spin_lock(&namespace_lock);
		parent = at.dentry->parent;
		dentry_get(parent);
		spin_unlock(&namespace_lock);
		if (parent == at.dentry) { /* in no directory */
			dentry_put(parent);
			break;
		}
		dentry_put(at.dentry);
		at.dentry = parent;
	}
	path_put(&at);
	return below;
}

/* Not a pipe, a socket, a terminal or memory without a name, which a handle may be opened anew of. */
static bool names_something(const struct path *path)
{
	u32 mode = path->dentry->inode->mode;

	return S_ISDIR(mode) || S_ISBLK(mode) || (S_ISREG(mode) && !path->mount->internal);
}

int path_check_confined(const struct path *path)
{
	struct path root;
	bool below;

	if (likely(!task_is_confined()) || !names_something(path))
		return 0;
	fs_context_paths(current_fs(), &root, nullptr);
	below = path_is_below(path, &root);
	path_put(&root);
	if (below)
		return 0;
	silo_denied(CAIRN_SILO_DENIED_DIRECTORY, path->dentry->inode->number);
	return -EACCES;
}

/* Puts w->at to the directory of dirfd. */
static int start_at_handle(struct walk *w, int dirfd)
{
	struct pool *pool = task_pool();
	struct file *file;
	int result;

	if (!pool)
		return -EBADF;
	result = file_from_handle(pool, dirfd, 0, &file);
	if (result)
		return result;
	if (*w->rest && !S_ISDIR(file->inode->mode))
		result = -ENOTDIR;
	else
		result = file_path(file, &w->at);
	if (!result && *w->rest)
		result = path_check_confined(&w->at);
	file_put(file);
	return result;
}

static void walk_init(struct walk *w, const char *text, u32 flags)
{
	w->root = w->at = w->start = (struct path){};
	w->flags = flags;
	w->links = w->pending_count = w->text_count = 0;
	w->rest = text;
	w->jumped = false;
}

int walk_start_in(struct walk *w, const struct path *root, const char *text, u32 flags)
{
	walk_init(w, text, flags | LOOKUP_IN_ROOT);
	w->root = w->at = w->start = *root;
	path_get(root);
	path_get(root);
	path_get(root);
	return *text ? 0 : -ENOENT;
}

int walk_start(struct walk *w, int dirfd, const char *text, u32 flags)
{
	struct fs_context *fs = current_fs();
	bool from_root = *text == '/' && !(flags & LOOKUP_IN_ROOT);
	int result = 0;

	walk_init(w, text, flags);
	if (!*text && !(flags & LOOKUP_EMPTY))
		return -ENOENT;
	if (*text == '/' && (flags & LOOKUP_BENEATH))
		return -EXDEV;
	fs_context_paths(fs, &w->root, from_root || dirfd != AT_FDCWD ? nullptr : &w->at);
	if (from_root) {
		w->at = w->root;
		path_get(&w->at);
	} else if (dirfd != AT_FDCWD) {
		result = start_at_handle(w, dirfd);
	}
	if (!result && (flags & (LOOKUP_BENEATH | LOOKUP_IN_ROOT))) {
		w->start = w->at;
		path_get(&w->start);
		path_put(&w->root);
		w->root = w->at;
		path_get(&w->root);
	}
	return result;
}

void walk_end(struct walk *w)
{
	if (w->at.dentry)
		path_put(&w->at);
	if (w->root.dentry)
		path_put(&w->root);
	if (w->start.dentry)
		path_put(&w->start);
	for (unsigned i = 0; i < w->text_count; i++)
		kfree(w->texts[i]);
}

static int check_search(struct inode *inode)
{
	if (!S_ISDIR(inode->mode))
		return -ENOTDIR;
	if (inode->ops && inode->ops->permission)
		return inode->ops->permission(inode, MAY_EXEC);
	return inode_search_permission(inode);
}

/* ".." */
static int walk_up(struct walk *w)
{
	for (;;) {
		struct dentry *parent;

		if (same_path(&w->at, &w->root))
			return w->flags & LOOKUP_BENEATH ? -EXDEV : 0;
		if (w->at.dentry != w->at.mount->root) {
			spin_lock(&namespace_lock);
			parent = w->at.dentry->parent;
			dentry_get(parent);
			spin_unlock(&namespace_lock);
			dentry_put(w->at.dentry);
			w->at.dentry = parent;
			break;
		}
		if (!mount_step_down(&w->at))
			break;
		if (w->flags & LOOKUP_NO_XDEV)
			return -EXDEV;
	}
	if (mount_step_up(&w->at) && (w->flags & LOOKUP_NO_XDEV))
		return -EXDEV;
	return 0;
}

int walk_enter(struct walk *w, struct dentry *child)
{
	dentry_put(w->at.dentry);
	w->at.dentry = child;
	if ((child->flags & DENTRY_MOUNTPOINT) && mount_step_up(&w->at) &&
	    (w->flags & LOOKUP_NO_XDEV))
		return -EXDEV;
	return 0;
}

/* Jumps where a magic link points. */
static int jump(struct walk *w, struct path *target, struct path *dir)
{
	int result = 0;

	if (w->flags & (LOOKUP_NO_MAGICLINKS | LOOKUP_NO_SYMLINKS))
		result = -ELOOP;
	else if (w->flags & (LOOKUP_BENEATH | LOOKUP_IN_ROOT))
		result = -EXDEV;
	else if ((w->flags & LOOKUP_NO_XDEV) && target->mount != dir->mount)
		result = -EXDEV;
	else
		result = path_check_confined(target);
	path_put(dir);
	path_put(&w->at);
	w->at = *target;
	w->jumped = true;
	return result;
}

int walk_follow(struct walk *w, struct path *dir)
{
	struct inode *inode = w->at.dentry->inode;
	struct path target = {};
	char *text = nullptr;
	int result = -ELOOP;

	if (!(w->flags & LOOKUP_NO_SYMLINKS) && w->links++ < SYMLINKS_MAX &&
	    !(w->at.mount->flags & MS_NOSYMFOLLOW))
		result = link_may_follow(inode, dir->dentry->inode);
	if (!result)
		result = inode->ops->read_link(inode, &text, &target);
	if (!result && !text)
		return jump(w, &target, dir);
	if (!result && !*text)
		result = -ENOENT;
	if (result) {
		kfree(text);
		path_put(dir);
		return result;
	}
	w->texts[w->text_count++] = text;
	if (*w->rest)
		w->pending[w->pending_count++] = w->rest;
	w->rest = text;
	path_put(&w->at);
	w->at = *dir;
	if (*text == '/') {
		if (w->flags & LOOKUP_BENEATH)
			return -EXDEV;
		if ((w->flags & LOOKUP_NO_XDEV) && w->root.mount != w->at.mount)
			return -EXDEV;
		path_put(&w->at);
		w->at = w->root;
		path_get(&w->at);
	}
	return 0;
}

/* Cuts the next component off w->rest. */
static int next_component(struct walk *w)
{
	const char *p = w->rest;
	u32 hash = NAME_HASH_START;

	w->last.text = p;
	for (; *p && *p != '/'; p++)
		hash = name_hash_step(hash, *p);
	w->last.length = (u32)(p - w->last.text);
	w->last.hash = hash;
	w->trailing = *p == '/';
	while (*p == '/')
		p++;
	w->rest = p;
	if (w->last.text[0] == '.' && w->last.length == 1)
		w->kind = WALK_DOT;
	else if (w->last.text[0] == '.' && w->last.length == 2 && w->last.text[1] == '.')
		w->kind = WALK_DOTDOT;
	else
		w->kind = WALK_NAME;
	return w->last.length > NAME_MAX ? -ENAMETOOLONG : 0;
}

/* As dentry_lookup; with LOOKUP_CACHED only what needs neither a disk nor a server, else -EAGAIN. */
static int look_up_last(struct walk *w, struct dentry **child)
{
	const struct inode_ops *ops = w->at.dentry->inode->ops;

	if (likely(!(w->flags & LOOKUP_CACHED)))
		return dentry_lookup(w->at.dentry, &w->last, child);
	*child = ops && ops->revalidate ? nullptr : dcache_lookup(w->at.dentry, &w->last);
	return *child ? 0 : -EAGAIN;
}

/* The component that next_component() cut off; *link: it is a symbolic link, and its directory is in *dir. */
static int take_name(struct walk *w, bool *link, struct path *dir)
{
	struct dentry *child;
	int result = look_up_last(w, &child);

	*link = false;
	if (result)
		return result;
	if (!child->inode) {
		dentry_put(child);
		return -ENOENT;
	}
	if (S_ISLNK(child->inode->mode)) {
		*link = true;
		*dir = w->at;
		path_get(dir);
	}
	result = walk_enter(w, child);
	if (result && *link)
		path_put(dir);
	return result;
}

int walk_to_parent(struct walk *w)
{
	struct path dir;
	bool link;
	int result;

	for (;;) {
		w->jumped = false;
		while (*w->rest == '/')
			w->rest++;
		if (!*w->rest && w->pending_count) {
			w->rest = w->pending[--w->pending_count];
			continue;
		}
		if (!*w->rest) {
			w->kind = WALK_NONE;
			w->trailing = true;
			return 0;
		}
		result = check_search(w->at.dentry->inode);
		if (!result)
			result = next_component(w);
		if (result)
			return result;
		if (!*w->rest && w->pending_count)
			w->rest = w->pending[--w->pending_count];
		else if (!*w->rest)
			return 0;
		if (w->kind == WALK_DOT)
			continue;
		if (w->kind == WALK_DOTDOT) {
			result = walk_up(w);
		} else {
			result = take_name(w, &link, &dir);
			if (!result && link)
				result = walk_follow(w, &dir);
		}
		if (result)
			return result;
	}
}

int walk_last(struct walk *w, bool *again)
{
	bool must_follow = w->trailing || (w->flags & LOOKUP_FOLLOW), link;
	struct path dir;
	int result;

	*again = false;
	if (w->kind == WALK_NONE || w->kind == WALK_DOT)
		return 0;
	if (w->kind == WALK_DOTDOT)
		return walk_up(w);
	result = take_name(w, &link, &dir);
	if (result || !link)
		return result;
	if (!must_follow) {
		path_put(&dir);
		return 0;
	}
	/* What a link with slashes behind it leads to must be a directory, too, however many links it takes. */
	if (w->trailing)
		w->flags |= LOOKUP_DIRECTORY | LOOKUP_FOLLOW;
	result = walk_follow(w, &dir);
	*again = !result && !w->jumped;
	return result;
}
