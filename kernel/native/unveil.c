/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Native calls by which a process confines itself: abi/native/cairn/confine.h. Unveiling gives it a tree of mounts that begins with an
 * empty directory in memory, where only the named paths of the tree before are mounted.
 */
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <native/native.h>
#include <proc/task.h>
#include <vfs/mount_namespace.h>
#include <vfs/vfs.h>

#include <cairn/confine.h>
#include <cairn/handle.h>
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <syscall_prototypes.h>

#define RULE_RIGHTS (CAIRN_RIGHT_READ | CAIRN_RIGHT_WRITE | CAIRN_RIGHT_EXECUTE)

struct rule {
	char *text;
	struct path path; /* in the tree before; with references */
	u32 rights;
};

static void rules_free(struct rule *rules, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (rules[i].path.dentry)
			path_put(&rules[i].path);
		kfree(rules[i].text);
	}
	kvfree(rules);
}

static int rule_read(struct rule *rule, const struct cairn_unveil __user *user)
{
	struct cairn_unveil in;
	int error;

	if (copy_from_user(&in, user, sizeof(in)))
		return -EFAULT;
	if (in.rights & ~RULE_RIGHTS || in.zero)
		return -EINVAL;
	rule->rights = in.rights;
	error = copy_path_from_user(__force_user(const char __user *, in.path), &rule->text);
	if (error)
		return error;
	if (rule->text[0] != '/')
		return -EINVAL;
	return path_lookup(AT_FDCWD, rule->text, LOOKUP_FOLLOW, &rule->path);
}

static int rules_read(const struct cairn_unveil __user *user, unsigned count, struct rule **out)
{
	struct rule *rules = kvmalloc(MAX(count, 1u) * sizeof(*rules), ALLOC_ZERO);
	int error = rules ? 0 : -ENOMEM;

	for (unsigned i = 0; i < count && !error; i++)
		error = rule_read(&rules[i], user + i);
	if (error && rules)
		rules_free(rules, count);
	*out = rules;
	return error;
}

/* What a path is to be mounted on, and the directories above it; the root is the new tree's already. */
static int make_place(char *text, bool is_directory)
{
	int error = 0;

	for (char *slash = text + 1; (slash = strchr(slash, '/')) && !error; slash++) {
		*slash = 0;
		error = vfs_mkdir(AT_FDCWD, text, 0755);
		if (error == -EEXIST)
			error = 0;
		*slash = '/';
	}
	if (!error)
		error = is_directory ? vfs_mkdir(AT_FDCWD, text, 0755)
				     : vfs_mknod(AT_FDCWD, text, S_IFREG | 0644, 0);
	return error == -EEXIST ? 0 : error;
}

static int add_rule(struct mount_namespace *ns, struct rule *rule)
{
	u64 flags = (rule->rights & CAIRN_RIGHT_WRITE ? 0 : MS_RDONLY) |
		    (rule->rights & CAIRN_RIGHT_EXECUTE ? 0 : MS_NOEXEC);
	int error = make_place(rule->text, S_ISDIR(rule->path.dentry->inode->mode));

	return error ? error : mount_namespace_add(ns, rule->text, &rule->path, flags);
}

/* An empty tree that the user of the task owns. */
static int create_tree(struct mount_namespace **out)
{
	const struct credentials *c = current_credentials();
	struct superblock *sb;
	char options[64];
	int error;

	(void)snprintf(options, sizeof(options), "mode=0755,uid=%u,gid=%u", c->fsuid, c->fsgid);
	error = native_create_memory(options, &sb);
	if (error)
		return error;
	error = mount_namespace_create_new(sb, out);
	superblock_put(sb);
	return error;
}

static void stand_at(const struct path *root, const struct path *directory)
{
	fs_context_set_root(current_fs(), root);
	fs_context_set_working_directory(current_fs(), directory);
}

static void enter_tree(const struct mount_namespace *ns)
{
	struct path root;

	mount_namespace_root(ns, &root);
	stand_at(&root, &root);
	path_put(&root);
}

/* Fills the tree, which the task stands in meanwhile, and makes it the task's. */
static int fill(struct mount_namespace *ns, struct rule *rules, unsigned count)
{
	struct path old_root, old_directory;
	struct namespaces *set;
	int error = namespaces_replace(current_namespaces(), NAMESPACE_MOUNT, &ns->base, &set);

	if (error)
		return error;
	fs_context_paths(current_fs(), &old_root, &old_directory);
	enter_tree(ns);
	for (unsigned i = 0; i < count && !error; i++) {
		error = add_rule(ns, &rules[i]);
		enter_tree(ns); /* the rule may have been for "/" */
	}
	if (error) {
		stand_at(&old_root, &old_directory);
		namespaces_put(set);
	} else {
		mount_namespace_seal(ns);
		task_set_namespaces(set);
		current_task()->no_new_privs = true;
		current_task()->confined = true;
	}
	path_put(&old_root);
	path_put(&old_directory);
	return error;
}

long sys_unveil(unsigned long address, unsigned count)
{
	const struct cairn_unveil __user *user =
		__force_user(const struct cairn_unveil __user *, address);
	struct mount_namespace *ns;
	struct rule *rules;
	int error;

	if (count > CAIRN_UNVEIL_MAX)
		return -EINVAL;
	if (current_process()->task_count != 1)
		return -EBUSY;
	error = rules_read(user, count, &rules);
	if (error)
		return error;
	error = task_unshare(CLONE_FS);
	if (!error)
		error = create_tree(&ns);
	if (!error) {
		error = fill(ns, rules, count);
		namespace_put(&ns->base);
	}
	rules_free(rules, count);
	return error;
}
