/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mount tree: which file system covers which directory.
 *
 * A mount is one appearance of (part of) a superblock. It hangs on a dentry of its parent mount; look-ups find it by that
 * pair in a hash table.
 *
 * (M1) The tree changes under mount_tree_lock held for writing and within a namespace change (dcache.h), so that walks
 *      without references notice.
 * (M2) refs counts users and one for being attached; a child holds its parent. A mount with users cannot be unmounted
 *      (EBUSY), only detached from the tree (MNT_DETACH), where it lives on until they go.
 * (M3) Memory is freed after a grace period.
 */
#include <core/panic.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/refs.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <vfs/dcache.h>
#include <vfs/mount_namespace.h>
#include <vfs/mount_priv.h>
#include <vfs/propagation.h>

#include <linux/mount.h>

#define BUCKET_BITS 7

struct rwsem mount_tree_lock;
u32 mount_count_max = 100000;
static u32 mount_count; /* atomic */
struct mount *anonymous_mount;

static struct mount *buckets[1 << BUCKET_BITS];
static struct list_head all_mounts = LIST_INIT(all_mounts); /* by mount_tree_lock */
static int next_id = 1;

static struct mount **bucket_of(const struct mount *parent, const struct dentry *dentry)
{
	u64 key = (uintptr_t)parent >> 6 ^ (uintptr_t)dentry >> 5;

	return &buckets[(key * 0x9e3779b97f4a7c15ull) >> (64 - BUCKET_BITS)];
}

void mount_get(struct mount *mount)
{
	__atomic_fetch_add(&mount->refs, 1, __ATOMIC_RELAXED);
}

bool mount_get_unless_zero(struct mount *mount)
{
	return refs_get_unless_zero(&mount->refs);
}

static void free_mount(struct rcu_head *rcu)
{
	struct mount *mount = container_of(rcu, struct mount, rcu);

	kfree(mount->source);
	kfree(mount);
}

static bool count_one_more(void)
{
	if (__atomic_add_fetch(&mount_count, 1, __ATOMIC_RELAXED) <= READ_ONCE(mount_count_max))
		return true;
	__atomic_fetch_sub(&mount_count, 1, __ATOMIC_RELAXED);
	return false;
}

void mount_put(struct mount *mount)
{
	if (__atomic_fetch_sub(&mount->refs, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	ASSERT(!mount->attached || mount->internal);
	dentry_put(mount->root);
	superblock_put(mount->superblock);
	__atomic_fetch_sub(&mount_count, 1, __ATOMIC_RELAXED);
	rcu_call(&mount->rcu, free_mount);
}

int mount_create(struct superblock *sb, struct dentry *root, u32 flags, const char *source,
		 struct mount **out)
{
	struct mount *mount = kzalloc(sizeof(*mount), 0);
	char *text = kstrdup(source ? source : "none", 0);

	if (!mount || !text || !count_one_more()) {
		int error = mount && text ? -ENOSPC : -ENOMEM;

		kfree(mount);
		kfree(text);
		return error;
	}
	mount->refs = 1;
	mount->id = __atomic_fetch_add(&next_id, 1, __ATOMIC_RELAXED);
	mount->flags = flags;
	mount->source = text;
	superblock_get(sb);
	mount->superblock = sb;
	dentry_get(root);
	mount->root = root;
	list_init(&mount->children);
	list_init(&mount->sibling);
	list_init(&mount->all_node);
	*out = mount;
	return 0;
}

int mount_create_internal(struct superblock *sb, struct mount **out)
{
	int result = mount_create(sb, sb->root, 0, sb->type->name, out);

	superblock_put(sb);
	if (result)
		return result;
	(*out)->attached = true;
	(*out)->internal = true;
	return 0;
}

struct mount *mount_find_rcu(const struct mount *mount, const struct dentry *dentry)
{
	struct mount *m = rcu_dereference(*bucket_of(mount, dentry));

	while (m && (m->parent != mount || m->mountpoint != dentry))
		m = rcu_dereference(m->hash_next);
	return m;
}

struct mount *mount_find(struct mount *mount, struct dentry *dentry)
{
	struct mount *found;
	u32 sequence;

	do {
		sequence = namespace_read_begin();
		rcu_read_lock();
		found = mount_find_rcu(mount, dentry);
		if (found && !mount_get_unless_zero(found))
			found = nullptr;
		rcu_read_unlock();
		if (!(sequence & 1) && namespace_read_valid(sequence))
			return found;
		if (found)
			mount_put(found);
	} while (true);
}

bool mount_covers(const struct mount *mount, struct dentry *dentry)
{
	bool covers;

	if (likely(!(dentry->flags & DENTRY_MOUNTPOINT)))
		return false;
	rcu_read_lock();
	covers = mount_find_rcu(mount, dentry);
	rcu_read_unlock();
	return covers;
}

void mount_detach_all(struct dentry *dentry)
{
	struct mount *m, *gone;

	while (unlikely(dentry->flags & DENTRY_MOUNTPOINT)) {
		gone = nullptr;
		write_lock(&mount_tree_lock);
		list_for_each (m, &all_mounts, all_node) {
			if (m->mountpoint == dentry) {
				gone = mount_detach_everywhere(m);
				break;
			}
		}
		write_unlock(&mount_tree_lock);
		if (!gone)
			return;
		mount_put_chain(gone);
	}
}

bool mount_step_up(struct path *path)
{
	bool moved = false;

	while (path->dentry->flags & DENTRY_MOUNTPOINT) {
		struct mount *top = mount_find(path->mount, path->dentry);

		if (!top)
			break;
		path_put(path);
		path->mount = top;
		path->dentry = top->root;
		dentry_get(top->root);
		moved = true;
	}
	return moved;
}

bool mount_step_down(struct path *path)
{
	struct path below;

	spin_lock(&namespace_lock);
	below.mount = path->mount->parent;
	below.dentry = path->mount->mountpoint;
	if (below.mount)
		path_get(&below);
	spin_unlock(&namespace_lock);
	if (!below.mount)
		return false;
	path_put(path);
	*path = below;
	return true;
}

void mount_attach(struct mount *mount, const struct path *where)
{
	struct mount **bucket = bucket_of(where->mount, where->dentry), *m;

	path_get(where);
	namespace_change_begin();
	mount->parent = where->mount;
	mount->mountpoint = where->dentry;
	mount->attached = true;
	mount->hash_next = *bucket;
	rcu_assign(*bucket, mount);
	__atomic_fetch_or(&where->dentry->flags, DENTRY_MOUNTPOINT, __ATOMIC_RELEASE);
	namespace_change_end();
	list_add_tail(&where->mount->children, &mount->sibling);
	for (m = mount; m; m = mount_next_below(mount, m))
		m->ns = where->mount->ns;
	if (list_empty(&mount->all_node))
		list_add_tail(&all_mounts, &mount->all_node);
}

/* True if some mount still covers the dentry. */
static bool is_mountpoint_locked(const struct dentry *dentry) __must_hold_shared(&mount_tree_lock)
{
	struct mount *m;

	list_for_each (m, &all_mounts, all_node) {
		if (m->mountpoint == dentry)
			return true;
	}
	return false;
}

void mount_detach(struct mount *mount, struct path *where)
{
	struct mount **link = bucket_of(mount->parent, mount->mountpoint);

	where->mount = mount->parent;
	where->dentry = mount->mountpoint;
	while (*link != mount)
		link = &(*link)->hash_next;
	namespace_change_begin();
	rcu_assign(*link, mount->hash_next);
	mount->parent = nullptr;
	mount->mountpoint = nullptr;
	mount->attached = false;
	mount->ns = nullptr;
	if (!is_mountpoint_locked(where->dentry))
		__atomic_fetch_and(&where->dentry->flags, ~(u32)DENTRY_MOUNTPOINT,
				   __ATOMIC_RELEASE);
	namespace_change_end();
	list_remove(&mount->sibling);
}

void mount_forget(struct mount *mount)
{
	list_remove(&mount->all_node);
}

struct mount *mount_next_below(struct mount *top, struct mount *m)
{
	if (!list_empty(&m->children))
		return list_first(&m->children, struct mount, sibling);
	for (; m != top; m = m->parent) {
		if (m->sibling.next != &m->parent->children)
			return list_entry(m->sibling.next, struct mount, sibling);
	}
	return nullptr;
}

void mount_add_root(struct mount *mount)
{
	mount->attached = true;
	list_add_tail(&all_mounts, &mount->all_node);
}

void mount_for_each(const struct path *root, bool (*visit)(struct mount *mount, void *arg),
		    void *arg)
{
	struct mount *mount;

	read_guard(&mount_tree_lock);
	list_for_each (mount, &all_mounts, all_node) {
		if (mount->ns && mount->ns == root->mount->ns && !visit(mount, arg))
			break;
	}
}

struct option_name {
	u32 flag;
	const char *text;
};

static size_t option_names_text(const struct option_name *names, size_t count, u32 flags, char *buf,
				size_t size)
{
	size_t length = 0;

	*buf = '\0';
	for (size_t i = 0; i < count; i++) {
		if (flags & names[i].flag)
			length +=
				(size_t)scnprintf(buf + length, size - length, "%s", names[i].text);
	}
	return length;
}

size_t mount_options_text(const struct mount *mount, char *buf, size_t size)
{
	static const struct option_name names[] = {
		{ MS_NOSUID, ",nosuid" },	    { MS_NODEV, ",nodev" },
		{ MS_NOEXEC, ",noexec" },	    { MS_NOATIME, ",noatime" },
		{ MS_NODIRATIME, ",nodiratime" },   { MS_RELATIME, ",relatime" },
		{ MS_NOSYMFOLLOW, ",nosymfollow" },
	};

	return option_names_text(names, ARRAY_SIZE(names), mount->flags, buf, size);
}

size_t superblock_flags_text(const struct superblock *sb, char *buf, size_t size)
{
	static const struct option_name names[] = {
		{ MS_SYNCHRONOUS, ",sync" },
		{ MS_DIRSYNC, ",dirsync" },
		{ MS_LAZYTIME, ",lazytime" },
	};

	return option_names_text(names, ARRAY_SIZE(names), sb->flags, buf, size);
}
