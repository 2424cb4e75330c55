/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Name spaces of mounts (mount_namespaces(7)): each has a tree of its own. A mount knows the name space whose tree it hangs in
 * (mount->ns, null for none); only tasks in it may change it.
 */
#pragma once

#include <proc/namespaces.h>
#include <vfs/vfs.h>

struct mount_namespace {
	struct namespace base;
	struct mount *root; /* holds a reference; has no parent */
};

static inline struct mount_namespace *current_mount_namespace(void)
{
	return (struct mount_namespace *)current_namespaces()->of[NAMESPACE_MOUNT];
}

/*
 * For silos: a tree of its own that begins with `root`, a directory, and what is mounted below it. Not entered by anybody yet. -EINVAL: not
 * a place that can be mounted; -ENOMEM.
 */
[[nodiscard]] int mount_namespace_create(const struct path *root, struct mount_namespace **out);
/* The same with a file system that is mounted nowhere else. */
[[nodiscard]] int mount_namespace_create_new(struct superblock *sb, struct mount_namespace **out);
/* Its root file system can only be read through the tree from now on. */
void mount_namespace_seal(struct mount_namespace *ns);
/* Its root, with what is mounted on it; with references. */
void mount_namespace_root(const struct mount_namespace *ns, struct path *out);
/*
 * Shows `what`, with all that is mounted below it, at a path in the tree, with these MS_* flags besides its own. -ENOENT, -ENOTDIR:
 * there is no such place; -EINVAL: `what` cannot be mounted; -ENOMEM.
 */
[[nodiscard]] int mount_namespace_add(struct mount_namespace *ns, const char *where,
				      const struct path *what, u64 flags);
/* The same with a file system that is mounted nowhere else. */
[[nodiscard]] int mount_namespace_add_new(struct mount_namespace *ns, const char *where,
					  struct superblock *sb, u64 flags);

/* Boot: the kind, and the root of the initial one. */
void mount_namespace_init(void);
void mount_namespace_set_root(struct mount *root);
