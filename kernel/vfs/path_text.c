/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a path back to its text. */
#include <lib/format.h>
#include <lib/string.h>
#include <vfs/dcache.h>
#include <vfs/mount_priv.h>
#include <vfs/namespace_file.h>

struct text {
	char *start; /* the text so far, growing downwards */
	char *limit;
};

static bool prepend(struct text *t, const char *s, size_t length)
{
	if ((size_t)(t->start - t->limit) < length)
		return false;
	t->start -= length;
	memcpy(t->start, s, length);
	return true;
}

/* One attempt; the name space may change meanwhile, but pointers stay valid under RCU. */
static bool build(struct text *t, const struct path *path, const struct path *root)
{
	const struct dentry *d = path->dentry;
	const struct mount *m = path->mount;
	bool reached = false, any = false;

	while (!reached) {
		if (d == root->dentry && m == root->mount) {
			reached = true;
		} else if (d->parent == d && d != m->root) {
			/* Made without a name (O_TMPFILE): as if in the root of its file system. */
			if (!prepend(t, d->name, d->name_length) || !prepend(t, "/", 1))
				return false;
			any = true;
			d = m->root;
		} else if (d == m->root) {
			if (!m->parent)
				break;
			d = m->mountpoint;
			m = m->parent;
		} else {
			if (!prepend(t, d->name, d->name_length) || !prepend(t, "/", 1))
				return false;
			any = true;
			d = d->parent;
		}
	}
	if (!any && !prepend(t, "/", 1))
		return false;
	return reached || prepend(t, "(unreachable)", 13);
}

/* Of a file of a file system that the kernel has for itself: "/memfd:name (deleted)". */
static bool internal_text(struct text *t, const struct path *path)
{
	const struct dentry *d = path->dentry;

	return prepend(t, d->name, d->name_length) && (*d->name == '/' || prepend(t, "/", 1));
}

static char *anonymous_text(const struct inode *inode, char *buf, size_t size)
{
	const char *name = inode->anonymous_name ? inode->anonymous_name : "anon_inode";
	int length = strchr(name, '[') || strchr(name, ':')
			     ? snprintf(buf, size, "%s", name)
			     : snprintf(buf, size, "%s:[%lu]", name, (unsigned long)inode->number);

	return (size_t)length < size ? buf : nullptr;
}

char *path_text(const struct path *path, const struct path *root, char *buf, size_t size)
{
	struct path own_root = {};
	struct text t;
	u32 sequence;
	bool fits;

	if (path->mount == anonymous_mount ||
	    (path->mount->internal && mount_is_of_namespaces(path->mount)))
		return anonymous_text(path->dentry->inode, buf, size);
	if (!root)
		fs_context_paths(current_fs(), &own_root, nullptr);
	do {
		sequence = namespace_read_begin();
		t.start = buf + size;
		t.limit = buf;
		fits = size && prepend(&t, "", 1);
		if (fits && (path->dentry->flags & DENTRY_UNLINKED) &&
		    !mount_is_of_namespaces(path->mount))
			fits = prepend(&t, " (deleted)", 10);
		rcu_read_lock();
		fits = fits && (path->mount->internal ? internal_text(&t, path)
						      : build(&t, path, root ? root : &own_root));
		rcu_read_unlock();
	} while ((sequence & 1) || !namespace_read_valid(sequence));
	if (own_root.dentry)
		path_put(&own_root);
	return fits ? t.start : nullptr;
}

char *mount_root_text(const struct mount *mount, char *buf, size_t size)
{
	const struct dentry *root = mount->root;
	struct text t;
	u32 sequence;
	bool fits;

	if (mount->superblock->ops->show_root)
		return mount->superblock->ops->show_root(root, buf, size);
	do {
		sequence = namespace_read_begin();
		t = (struct text){ .start = buf + size, .limit = buf };
		fits = size && prepend(&t, "", 1);
		if (fits && (root->flags & DENTRY_UNLINKED))
			fits = prepend(&t, "//deleted", 9);
		if (fits && root->parent == root)
			fits = prepend(&t, "/", 1);
		rcu_read_lock();
		for (const struct dentry *d = root; fits && d->parent != d; d = d->parent)
			fits = prepend(&t, d->name, d->name_length) && prepend(&t, "/", 1);
		rcu_read_unlock();
	} while ((sequence & 1) || !namespace_read_valid(sequence));
	return fits ? t.start : nullptr;
}
