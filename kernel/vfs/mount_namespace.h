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

/* Boot: the kind, and the root of the initial one. */
void mount_namespace_init(void);
void mount_namespace_set_root(struct mount *root);
