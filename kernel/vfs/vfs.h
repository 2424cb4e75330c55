/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual file system: dentries (names in memory), mounts (the tree of file systems), paths (a dentry in a mount), the walk that
 * turns text into a path, and the operations on paths that system calls and the kernel share.
 */
#pragma once

#include <core/lock.h>
#include <core/rcu.h>
#include <lib/list.h>
#include <obj/credentials.h>
#include <obj/file.h>
#include <obj/inode.h>
#include <vfs/inode_ops.h>

struct superblock;

struct dentry {
	u32 refs;	     /* atomic; 0: cached, reclaimable */
	u32 flags;	     /* DENTRY_* */
	struct spinlock lock;
	struct dentry *parent;	/* holds a reference; itself for a root */
	struct inode *inode;	/* holds a reference; null: negative */
	struct dentry *hash_next;
	u32 hash;
	u16 name_length;
	char *name; /* inline_name or allocated */
	char inline_name[32];
	struct list_head children; /* guarded by lock */
	struct list_head sibling;
	struct list_head lru;
	struct superblock *superblock;
	struct rcu_head rcu;
	void *private;
};
#define DENTRY_UNLINKED BIT(0)
#define DENTRY_MOUNTPOINT BIT(1) /* a mount covers it in some mount tree */

struct mount {
	u32 refs;
	int id;
	struct mount *parent;	  /* null: root of its tree; holds a reference */
	struct dentry *mountpoint; /* in parent; holds a reference */
	struct dentry *root;	  /* holds a reference */
	struct superblock *superblock;
	u32 flags; /* MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOATIME, ... */
	struct list_head children, sibling;
	struct mount *hash_next;
	const char *source; /* "tmpfs", "/dev/vda1"; allocated */
};

struct path {
	struct mount *mount;
	struct dentry *dentry;
};

struct statfs_info {
	u64 type, block_size, blocks, blocks_free, blocks_available, files, files_free, name_max;
	u64 fsid;
};

struct superblock_ops {
	int (*statfs)(struct superblock *sb, struct statfs_info *out);
	int (*sync)(struct superblock *sb);
	int (*remount)(struct superblock *sb, u32 *flags, const char *data);
	void (*show_options)(struct superblock *sb, char *buf, size_t size);
	void (*destroy)(struct superblock *sb); /* last mount gone */
};

struct file_system_type;
struct superblock {
	u32 refs;
	const struct file_system_type *type;
	const struct superblock_ops *ops;
	struct dentry *root;
	u64 device; /* st_dev */
	u32 flags;  /* MS_RDONLY ... */
	u32 magic;
	u64 max_file_size;
	struct mutex rename_lock;
	void *private;
};

/* A file system that mount(2) can name. Registered in a const table in vfs/file_systems.c. */
struct file_system_type {
	const char *name;
	bool needs_device;
	bool user_visible;
	/* Makes a superblock with its root dentry. `source` and `data` may be null. -errno. */
	int (*mount)(const struct file_system_type *type, const char *source, u32 flags, const char *data,
		     struct superblock **out);
};
void file_system_register(struct file_system_type *type); /* boot only */

/* Where a task stands: root and working directory, umask; shared with CLONE_FS. */
struct fs_context {
	u32 refs;
	struct spinlock lock;
	struct path root, working_directory;
	u32 umask;
};
[[nodiscard]] int fs_context_copy(struct fs_context *from, struct fs_context **out);
void fs_context_get(struct fs_context *fs);
void fs_context_put(struct fs_context *fs);
void fs_context_paths(struct fs_context *fs, struct path *root, struct path *cwd); /* with references; either null */
/* The current task's; the kernel's initial one in kernel threads. Borrowed. Set by proc at boot. */
extern struct fs_context *(*fs_context_hook)(void);
extern struct pool *(*pool_hook)(void); /* current task's pool */

void path_get(const struct path *p);
void path_put(const struct path *p);

/* Look-up flags. */
#define LOOKUP_FOLLOW BIT(0)	/* follow a symbolic link at the end */
#define LOOKUP_DIRECTORY BIT(1) /* the result must be a directory */
#define LOOKUP_EMPTY BIT(2)	/* an empty path means dirfd itself (AT_EMPTY_PATH) */
#define LOOKUP_CREATE BIT(3)
#define LOOKUP_NO_SYMLINKS BIT(4) /* openat2 RESOLVE_* */
#define LOOKUP_NO_MAGICLINKS BIT(5)
#define LOOKUP_BENEATH BIT(6)
#define LOOKUP_IN_ROOT BIT(7)
#define LOOKUP_NO_XDEV BIT(8)
#define LOOKUP_NO_MOUNTPOINT BIT(9) /* do not enter a mount at the last component */

/*
 * Walks `path` (path_resolution(7)) from dirfd (AT_FDCWD: working directory) to *out with references. -ENOENT, -ENOTDIR, -EACCES,
 * -ELOOP, -ENAMETOOLONG, -EBADF. May sleep.
 */
[[nodiscard]] int path_lookup(int dirfd, const char *path, u32 flags, struct path *out);

/*
 * Walks to the parent of the last component. *dir gets the parent with references, *last points into `path` at the last component
 * (without trailing slashes: *last_length), *trailing tells that slashes followed. The last component may be "." or "..".
 */
[[nodiscard]] int path_lookup_parent(int dirfd, const char *path, u32 flags, struct path *dir, const char **last,
				     size_t *last_length, bool *trailing);

/* Opens: openat2(2) with a kernel path. *out: file with a reference and no handle. */
struct open_request {
	u32 flags; /* O_* */
	u32 mode;  /* permissions of a new file, umask not applied yet */
	u32 lookup_flags;
};
[[nodiscard]] int vfs_open(int dirfd, const char *path, const struct open_request *req, struct file **out);
/* Opens a path that was found already. */
[[nodiscard]] int vfs_open_path(const struct path *path, u32 flags, struct file **out);

/* The calls of the same names; kernel paths; permissions of the current task are checked. */
[[nodiscard]] int vfs_mknod(int dirfd, const char *path, u32 mode, u64 device);
[[nodiscard]] int vfs_mkdir(int dirfd, const char *path, u32 mode);
[[nodiscard]] int vfs_unlink(int dirfd, const char *path);
[[nodiscard]] int vfs_rmdir(int dirfd, const char *path);
[[nodiscard]] int vfs_symlink(const char *target, int dirfd, const char *path);
[[nodiscard]] int vfs_link(int from_dirfd, const char *from, int to_dirfd, const char *to, u32 lookup_flags);
[[nodiscard]] int vfs_rename(int from_dirfd, const char *from, int to_dirfd, const char *to, u32 flags);
[[nodiscard]] int vfs_set_attributes(const struct path *path, struct inode_attributes *attr);
[[nodiscard]] int vfs_stat(const struct path *path, struct kstat *out);
[[nodiscard]] int vfs_file_stat(struct file *file, struct kstat *out);
[[nodiscard]] int vfs_mount(const char *source, const char *target, const char *type, u64 flags, const char *data);
[[nodiscard]] int vfs_unmount(const char *target, int flags);
[[nodiscard]] int vfs_statfs(const struct path *path, struct statfs_info *out);

/* Checks MAY_* of an inode for the current task's fsuid, fsgid and capabilities. 0 or -EACCES. */
[[nodiscard]] int inode_permission(struct inode *inode, u32 mask);

/*
 * The text of a path as seen from `root` (null: the current task's), e.g. for getcwd, /proc/pid/fd. Returns a pointer into buf, or
 * null if it does not fit. "(unreachable)" and " (deleted)" as Linux.
 */
char *path_text(const struct path *path, const struct path *root, char *buf, size_t size);

/* Boot: dentry and inode caches, the root tmpfs, the kernel's fs_context. */
void vfs_init(void);

/* Devices: what /dev shows. A node appears in every devtmpfs at once. */
struct device_node {
	const char *name; /* "null", "pts/ptmx", ... */
	u32 mode;	  /* S_IFCHR | 0666 */
	u64 device;
	/* Opens: sets file->ops and private. */
	int (*open)(struct inode *inode, struct file *file);
	struct list_head node;
	const char *class_name; /* for /sys/class: "mem", "tty" */
};
void device_register(struct device_node *node);
void device_unregister(struct device_node *node);
/* Finds the driver of a device number at open; null: -ENXIO. */
struct device_node *device_find(u32 mode, u64 device);
