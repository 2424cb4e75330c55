/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared subtrees (mount_namespaces(7)): mounts that tell each other what is mounted and unmounted below them. All of it under
 * mount_tree_lock; see propagation.c for the rules.
 */
#pragma once

#include <vfs/mount_priv.h>

/* What a clone of a mount has to do with it. */
enum mount_relation {
	MOUNT_PRIVATE, /* nothing */
	MOUNT_PEER, /* in the same peer group, slave of the same master: bind mounts, copies of name spaces */
	MOUNT_SLAVE, /* a slave of its peer group */
};

/*
 * Another appearance of the file system of `from`, of its part below `root`, with the same flags; attached nowhere. With MOUNT_SLAVE `from`
 * must be shared. -ENOMEM, -ENOSPC (fs.mount-max).
 */
[[nodiscard]] int mount_clone(struct mount *from, struct dentry *root, enum mount_relation relation,
			      struct mount **out) __must_hold(&mount_tree_lock);

/*
 * mount_clone() of a mount and of all that is mounted on it below `root`. Unbindable ones are left out unless `unbindable`. `top` itself is
 * not asked. -ENOMEM, -ENOSPC leave nothing.
 */
[[nodiscard]] int mount_clone_tree(struct mount *top, struct dentry *root,
				   enum mount_relation relation, bool unbindable,
				   struct mount **out) __must_hold(&mount_tree_lock);

/* Gives a mount the type MS_SHARED, MS_PRIVATE, MS_SLAVE or MS_UNBINDABLE. -ENOMEM. */
[[nodiscard]] int mount_set_propagation(struct mount *mount, u64 type)
	__must_hold(&mount_tree_lock);

/* MOVE_MOUNT_SET_GROUP: `to`, a private mount, becomes a peer of what `from` is a peer of, and a slave of its master. */
void mount_join(struct mount *to, const struct mount *from) __must_hold(&mount_tree_lock);

/* Leaves its peers and its master. */
void mount_make_private(struct mount *mount) __must_hold(&mount_tree_lock);

/*
 * mount_attach() of a tree of mounts, and of copies of it wherever the mount below `where` spreads to. The tree becomes shared if that mount is.
 * `moved`: the tree is attached elsewhere until then. -ENOMEM, -ENOSPC: nothing was attached.
 */
[[nodiscard]] int mount_attach_everywhere(struct mount *top, const struct path *where, bool moved)
	__must_hold(&mount_tree_lock);

/* -EBUSY if a mount without mounts on it, which would go with `mount`, is in use. */
[[nodiscard]] int mount_check_idle(struct mount *mount) __must_hold(&mount_tree_lock);

/*
 * Takes `top` and all on it out of the tree, and what was spread from there. They are chained by next_work, for mount_put_chain() once
 * the lock is released.
 */
struct mount *mount_detach_everywhere(struct mount *top) __must_hold(&mount_tree_lock);
void mount_put_chain(struct mount *chain);

static inline bool mount_is_shared(const struct mount *mount)
{
	return mount->group;
}

/* True if the mount or one on it is unbindable. */
bool mount_tree_has_unbindable(struct mount *top) __must_hold_shared(&mount_tree_lock);
