/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Name spaces (namespaces(7)): what a task sees under a kind of name. Each is an object, so that handles can hold it
 * (setns(2), silos), with the header `struct namespace` first. A task has a set of them, `struct namespaces`, which is
 * shared by fork and never changed once made: a task that asks for another name space gets another set.
 *
 * (N1) A set owns a reference to each of its members; tasks own references to sets.
 * (N2) task->namespaces is replaced by the task itself under process->lock; others take a reference under that lock.
 * (N3) The kinds are a table. A layer above proc registers its own (mounts: vfs) at boot, before process 1 is made.
 */
#pragma once

#include <core/lock.h>
#include <lib/types.h>
#include <obj/object.h>

#include <linux/utsname.h>

struct fs_context;
struct task;

/* The members of a set, in the order in which new ones are made. */
enum namespace_kind {
	NAMESPACE_UTS,
	NAMESPACE_IPC,
	NAMESPACE_PID, /* the one that children are born into; see proc/pid_namespace.h */
	NAMESPACE_MOUNT,
	NAMESPACE_NETWORK,
	NAMESPACE_KINDS,
};

struct namespace;

struct namespace_type {
	const char *name; /* in /proc/<pid>/ns: "uts" */
	u64 clone_flag;	  /* CLONE_NEW* */
	struct object_type object;
	/*
	 * A new one that begins as the manual page of the kind says. `fs` is the file system context of the task that will
	 * be in it, seen by nobody else yet. -ENOMEM, -ENOSPC, -EINVAL. May sleep.
	 */
	int (*copy)(struct namespace *from, struct fs_context *fs, struct namespace **out);
	/* Makes a new one that nobody is in yet of use to those without a privilege (silos). Null: it is. May sleep. */
	void (*prepare)(struct namespace *ns);
	/* setns(2): may the current task enter, beyond CAP_SYS_ADMIN; and what it must do then. Null: nothing more. */
	int (*enter)(struct namespace *ns);
	/* The current task leaves for another one (unshare, setns). Null: nothing to do. */
	void (*leave)(struct namespace *ns);
};

struct namespace
{
	struct object object; /* type: &type->object */
	const struct namespace_type *type;
	u32 inode; /* of its file in /proc/<pid>/ns: its name for programs */
};

struct namespaces {
	u32 refs;
	struct namespace *of[NAMESPACE_KINDS];
};

/* The set of the kernel and of process 1. */
extern struct namespaces initial_namespaces;

/* Boot: makes `initial` the first one of its kind. */
void namespace_register(enum namespace_kind kind, const struct namespace_type *type,
			struct namespace *initial);
/* The type of a kind; null: not registered. */
const struct namespace_type *namespace_type(enum namespace_kind kind);

/* One reference, a fresh inode number. For copy operations. */
void namespace_init(struct namespace *ns, const struct namespace_type *type);

static inline void namespace_get(struct namespace *ns)
{
	object_get(&ns->object);
}
static inline void namespace_put(struct namespace *ns)
{
	object_put(&ns->object);
}

/* All CLONE_NEW* bits that there can be a name space for. */
u64 namespace_flags(void);

/*
 * A set as `from` with new name spaces for the CLONE_NEW* bits of `flags`, with one reference; without any it is `from` itself.
 * -EPERM without CAP_SYS_ADMIN, -EINVAL for a kind that does not exist here, -ENOMEM.
 */
[[nodiscard]] int namespaces_copy(struct namespaces *from, u64 flags, struct fs_context *fs,
				  struct namespaces **out);
/* The same without asking for a privilege: for silos, whose members lose theirs. */
[[nodiscard]] int namespaces_create(struct namespaces *from, u64 flags, struct fs_context *fs,
				    struct namespaces **out);
/* A set as `from` with `ns` in place of its member of that kind. -ENOMEM. */
[[nodiscard]] int namespaces_replace(struct namespaces *from, enum namespace_kind kind,
				     struct namespace *ns, struct namespaces **out);
void namespaces_get(struct namespaces *set);
void namespaces_put(struct namespaces *set);

/* The current task's set (the kernel's in kernel threads). Borrowed. */
struct namespaces *current_namespaces(void);
/* Another task's, with a reference; null once it has exited. */
struct namespaces *task_namespaces_get(struct task *task);
/* Gives the current task another set; consumes the reference. */
void task_set_namespaces(struct namespaces *set);

/*
 * setns(2): the current task enters these name spaces (null: keeps its own), or none of them. -EPERM without CAP_SYS_ADMIN, -EINVAL where the
 * kind does not let it in, -ENOMEM.
 */
[[nodiscard]] int namespaces_enter(struct namespace *const wanted[NAMESPACE_KINDS]);

/* Host and domain name (uts_namespaces(7)). */
enum uts_name { UTS_HOST_NAME, UTS_DOMAIN_NAME };
struct uts_namespace {
	struct namespace base;
	struct spinlock lock;
	char names[2][__NEW_UTS_LEN + 1]; /* guarded by lock */
};
static inline struct uts_namespace *current_uts(void)
{
	return (struct uts_namespace *)current_namespaces()->of[NAMESPACE_UTS];
}
