/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Name spaces of mounts: copying the tree, entering another one, and the end. */
#include <lib/errno.h>
#include <mm/slab.h>
#include <vfs/mount_namespace.h>
#include <vfs/mount_priv.h>
#include <vfs/propagation.h>

#include <linux/mount.h>
#include <linux/sched.h>

static struct mount_namespace initial;

static struct mount_namespace *of(struct namespace *ns)
{
	return container_of(ns, struct mount_namespace, base);
}

static void free_memory(struct rcu_head *head)
{
	kfree(container_of(head, struct mount_namespace, base.object.rcu));
}

static void destroy(struct object *object)
{
	struct mount_namespace *ns = container_of(object, struct mount_namespace, base.object);

	write_lock(&mount_tree_lock);
	mount_dissolve_locked(ns->root);
	write_unlock(&mount_tree_lock);
	rcu_call(&object->rcu, free_memory);
}

/* Where a path of the old tree is in the new one. */
static void translate(struct path *path, const struct mount_namespace *from)
	__must_hold(&mount_tree_lock)
{
	if (path->mount->ns == from)
		path->mount = path->mount->copy;
}

/* The context stands in the copies of the mounts where it stood. */
static void move_context(struct fs_context *fs, const struct mount_namespace *from)
	__must_hold(&mount_tree_lock)
{
	struct path root = fs->root, cwd = fs->working_directory;

	translate(&root, from);
	translate(&cwd, from);
	fs_context_set_root(fs, &root);
	fs_context_set_working_directory(fs, &cwd);
}

/* Gives a tree that was just made to the name space. */
static void adopt(struct mount_namespace *ns) __must_hold(&mount_tree_lock)
{
	mount_add_root(ns->root);
	for (struct mount *m = ns->root; m; m = mount_next_below(ns->root, m))
		m->ns = ns;
}

static int copy_tree_locked(struct mount_namespace *from, struct mount_namespace *ns)
	__must_hold(&mount_tree_lock)
{
	int err = mount_clone_tree(from->root, from->root->root, MOUNT_PEER, true, &ns->root);

	if (!err)
		adopt(ns);
	return err;
}

static int copy(struct namespace *base, struct fs_context *fs, struct namespace **out)
{
	struct mount_namespace *from = of(base), *ns = kzalloc(sizeof(*ns), 0);
	int err;

	if (!ns)
		return -ENOMEM;
	write_lock(&mount_tree_lock);
	err = copy_tree_locked(from, ns);
	if (!err)
		move_context(fs, from);
	write_unlock(&mount_tree_lock);
	if (err) {
		kfree(ns);
		return err;
	}
	namespace_init(&ns->base, base->type);
	*out = &ns->base;
	return 0;
}

static struct mount_namespace *create(void)
{
	struct mount_namespace *ns = kzalloc(sizeof(*ns), 0);

	if (ns)
		namespace_init(&ns->base, initial.base.type);
	return ns;
}

/* A copy of the tree from `what` on, attached nowhere. */
static int copy_from_locked(const struct path *what, u32 flags, struct mount **out)
	__must_hold(&mount_tree_lock)
{
	int err = what->mount->internal
			  ? -EINVAL
			  : mount_clone_tree(what->mount, what->dentry, MOUNT_PRIVATE, true, out);

	if (err)
		return err;
	for (struct mount *m = *out; m; m = mount_next_below(*out, m))
		m->flags |= flags;
	return 0;
}

int mount_namespace_create(const struct path *root, struct mount_namespace **out)
{
	struct mount_namespace *ns = create();
	int err;

	if (!ns)
		return -ENOMEM;
	write_lock(&mount_tree_lock);
	err = copy_from_locked(root, 0, &ns->root);
	if (!err)
		adopt(ns);
	write_unlock(&mount_tree_lock);
	if (err)
		kfree(ns);
	else
		*out = ns;
	return err;
}

int mount_namespace_create_new(struct superblock *sb, struct mount_namespace **out)
{
	struct mount_namespace *ns = create();
	int err = ns ? mount_create(sb, sb->root, MS_NOSUID | MS_NODEV, sb->type->name, &ns->root)
		     : -ENOMEM;

	if (err) {
		kfree(ns);
		return err;
	}
	ns->root->ns = ns;
	write_lock(&mount_tree_lock);
	mount_add_root(ns->root);
	write_unlock(&mount_tree_lock);
	*out = ns;
	return 0;
}

void mount_namespace_seal(struct mount_namespace *ns)
{
	write_guard(&mount_tree_lock);
	ns->root->flags |= MS_RDONLY;
}

void mount_namespace_root(const struct mount_namespace *ns, struct path *out)
{
	*out = (struct path){ ns->root, ns->root->root };
	path_get(out);
	mount_step_up(out);
}

/* Hangs `top` on a path of the tree, or takes it apart. */
static int hang_locked(struct mount_namespace *ns, struct mount *top, struct path *target)
	__must_hold(&mount_tree_lock)
{
	mount_step_up(target);
	if (S_ISDIR(top->root->inode->mode) != S_ISDIR(target->dentry->inode->mode))
		return -ENOTDIR;
	if (target->dentry->flags & DENTRY_UNLINKED || target->mount->ns != ns)
		return -ENOENT;
	mount_attach(top, target);
	return 0;
}

static int find_place(struct mount_namespace *ns, const char *where, struct path *out)
{
	struct path root;
	int err;

	mount_namespace_root(ns, &root);
	err = path_lookup_in(&root, where, LOOKUP_FOLLOW, out);
	path_put(&root);
	return err;
}

int mount_namespace_add(struct mount_namespace *ns, const char *where, const struct path *what,
			u64 flags)
{
	struct mount *top;
	struct path target;
	int err = find_place(ns, where, &target);

	if (err)
		return err;
	write_lock(&mount_tree_lock);
	err = copy_from_locked(what, (u32)flags, &top);
	if (!err) {
		err = hang_locked(ns, top, &target);
		if (err)
			mount_dissolve_locked(top);
	}
	write_unlock(&mount_tree_lock);
	path_put(&target);
	return err;
}

int mount_namespace_add_new(struct mount_namespace *ns, const char *where, struct superblock *sb,
			    u64 flags)
{
	struct mount *top;
	struct path target;
	int err = find_place(ns, where, &target);

	if (err)
		return err;
	err = mount_create(sb, sb->root, (u32)flags, sb->type->name, &top);
	if (!err) {
		write_lock(&mount_tree_lock);
		err = hang_locked(ns, top, &target);
		if (err)
			mount_dissolve_locked(top);
		write_unlock(&mount_tree_lock);
	}
	path_put(&target);
	return err;
}

/* The task's root and working directory become the root of the tree. */
static int enter(struct namespace *base)
{
	struct fs_context *fs = current_fs();
	struct path root;

	if (!capable(CAP_SYS_CHROOT))
		return -EPERM;
	if (READ_ONCE(fs->refs) != 1)
		return -EINVAL;
	root = (struct path){ of(base)->root, of(base)->root->root };
	path_get(&root);
	mount_step_up(&root);
	fs_context_set_root(fs, &root);
	fs_context_set_working_directory(fs, &root);
	path_put(&root);
	return 0;
}

static const struct namespace_type mount_type = {
	.name = "mnt",
	.clone_flag = CLONE_NEWNS,
	.object = { .name = "mnt", .destroy = destroy },
	.copy = copy,
	.enter = enter,
};

void mount_namespace_init(void)
{
	namespace_register(NAMESPACE_MOUNT, &mount_type, &initial.base);
}

void mount_namespace_set_root(struct mount *root)
{
	mount_get(root);
	root->ns = &initial;
	initial.root = root;
}
