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

/*
 * A name in a directory, cached. See dcache.c for the rules. Those outside the dcache read parent, inode and name with a
 * reference and either a lock that excludes rename (the directory inode's) or namespace_sequence.
 */
struct dentry {
	/* First cache line: what a path walk reads. */
	struct dentry *hash_next;
	struct dentry *parent; /* holds a reference; itself for a root */
	u32 hash;	       /* of the name alone */
	u32 name_length;
	char *name; /* inline_name or allocated */
	/* Holds a reference; null: negative. Set once, cleared only at the end. */
	struct inode *inode;
	u32 flags; /* DENTRY_*, atomic */
	u32 refs;  /* atomic; 0: cached, reclaimable; DENTRY_DEAD: being freed */
	char inline_name[32];
	struct superblock *superblock;
	struct spinlock lock;
	struct list_head children; /* guarded by lock */
	struct list_head sibling;  /* in parent->children, guarded by the parent's lock */
	struct list_head lru;
	struct rcu_head rcu;
	void *private;
};
#define DENTRY_UNLINKED BIT(0)	     /* not in the hash any more: goes with the last reference */
#define DENTRY_MOUNTPOINT BIT(1)     /* a mount covers it in some mount tree */
#define DENTRY_LRU BIT(2)	     /* on the list of reclaim */
#define DENTRY_REFERENCED BIT(3)     /* used since reclaim looked last */
#define DENTRY_REVALIDATE BIT(4)     /* the file system must confirm each hit */
#define DENTRY_OWN_PERMISSION BIT(5) /* the inode has a permission operation */
#define DENTRY_LINKABLE BIT(6)	     /* O_TMPFILE: may get a first name */
#define DENTRY_DEAD 0x80000000u

struct peer_group;
struct mount {
	u32 refs; /* atomic; one for being attached */
	int id;
	struct mount *parent;	       /* null: root of its tree; holds a reference */
	struct dentry *mountpoint;     /* in parent; holds a reference */
	struct dentry *root;	       /* holds a reference */
	struct superblock *superblock; /* holds a reference */
	u32 flags;   /* MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOATIME, ... */
	u32 writers; /* files open for writing; atomic */
	bool attached;
	bool detached; /* root of a tree that open_tree(2) or fsmount(2) made; by mount_tree_lock */
	bool internal; /* of the kernel: not in the tree */
	struct mount_namespace *ns; /* whose tree it is in; null: none. By mount_tree_lock */
	/* Propagation, by mount_tree_lock: see propagation.c. */
	struct peer_group *group;    /* whose peer it is; null: it is not shared */
	struct peer_group *master;   /* whose slave it is; null: nobody's */
	struct list_head peer_node;  /* in group->peers */
	struct list_head slave_node; /* in master->slaves */
	struct mount *copy;	     /* private to copying a tree */
	struct mount *next_target;   /* private to one event: whom it concerns */
	struct mount *next_work;     /* private to one event: what it made or ends */
	struct mount *place;	     /* private to one event: what a copy goes on */
	bool unbindable;
	bool doomed; /* private to one event: it goes */
	struct list_head children, sibling;
	struct list_head all_node;
	struct mount *hash_next;
	char *source; /* "tmpfs", "/dev/vda1"; allocated */
	struct rcu_head rcu;
};

struct path {
	struct mount *mount;
	struct dentry *dentry;
};

struct statfs_info {
	u64 type, block_size, blocks, blocks_free, blocks_available, files, files_free, name_max;
	u64 fsid;
};

struct export_ops;

struct superblock_ops {
	int (*statfs)(struct superblock *sb, struct statfs_info *out);
	int (*sync)(struct superblock *sb);				     /* may be null */
	int (*remount)(struct superblock *sb, u32 *flags, const char *data); /* may be null */
	/* Appends ",name=value" texts for /proc/mounts; returns the length. May be null. */
	size_t (*show_options)(struct superblock *sb, char *buf, size_t size);
	/* What mountinfo says of a mount of this directory, if that is no path; points into buf. May be null. */
	char *(*show_root)(const struct dentry *root, char *buf, size_t size);
	/* Last mount gone, the root dentry still there: drops what hangs on it. May be null. */
	void (*shut_down)(struct superblock *sb);
	void (*destroy)(struct superblock *sb); /* last mount gone: frees `private`; may be null */
	const struct export_ops *export; /* <vfs/export.h>; null: its files have no handles */
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
	bool keeps_doubtful_names; /* names that are revalidated stay cached when nobody uses them */
	bool may_lie; /* on a disk that may be damaged: a directory is refused a second place in the tree */
	struct mutex rename_lock;
	void *private;
	u32 write_errors; /* of write_error_*: what syncfs(2) tells */
	struct list_head all_node;
};

/*
 * A superblock with one reference, an anonymous device number and no root yet. superblock_set_root() moves the caller's
 * reference of `inode` into its root dentry. -ENOMEM. superblock_put() of one without a root calls ops->destroy too.
 */
[[nodiscard]] int superblock_create(const struct file_system_type *type,
				    const struct superblock_ops *ops, u32 magic,
				    struct superblock **out);
[[nodiscard]] int superblock_set_root(struct superblock *sb, struct inode *inode);
void superblock_get(struct superblock *sb);
void superblock_put(struct superblock *sb);
/* The statfs of file systems without blocks: magic, page size, NAME_MAX. */
int superblock_statfs_simple(struct superblock *sb, struct statfs_info *out);
/* Writes everything dirty of every file system. */
void superblock_sync_all(void);

/* A file system that mount(2) can name. */
struct file_system_type {
	const char *name;
	bool needs_device;
	bool user_visible;
	bool has_subtypes; /* "fuse.sshfs" means it too */
	/* Makes a superblock with its root dentry, with one reference. `source` and `data` may be null. -errno. */
	int (*mount)(const struct file_system_type *type, const char *source, u32 flags,
		     const char *data, struct superblock **out);
	/*
	 * One parameter, before there is a superblock: 0, -EINVAL: its value is bad, -ENOENT: there is no such. Null: only mount can tell.
	 */
	int (*check_option)(const char *name, const char *value);
	struct file_system_type *next;
};
void file_system_register(struct file_system_type *type); /* boot only */
/* The list of them, for /proc/filesystems. */
struct file_system_type *file_system_first(void);

/* The one that mount(2) means by a name; null: there is none. */
struct file_system_type *file_system_find(const char *name);
/*
 * Calls `one` for each of the options "name=value,name" (null: none), whose values are null if they have none; ends with the first error.
 * -ENOMEM.
 */
[[nodiscard]] int mount_options_each(const char *options,
				     int (*one)(void *arg, const char *name, const char *value),
				     void *arg);
/* A superblock of that type, with the MS_* flags that are a superblock's. What type->mount says. */
[[nodiscard]] int file_system_make(const struct file_system_type *type, const char *source,
				   u32 flags, const char *data, struct superblock **out);

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
void fs_context_paths(struct fs_context *fs, struct path *root,
		      struct path *cwd); /* with references; either null */
/* Replaces root or working directory; takes references of its own. */
void fs_context_set_root(struct fs_context *fs, const struct path *root);
void fs_context_set_working_directory(struct fs_context *fs, const struct path *cwd);
/* The current task's; the kernel's initial one in kernel threads. Borrowed. */
struct fs_context *current_fs(void);
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
#define LOOKUP_CACHED BIT(10) /* -EAGAIN for what is not in the dentry cache; RESOLVE_CACHED */

/*
 * Walks `path` (path_resolution(7)) from dirfd (AT_FDCWD: working directory) to *out with references. -ENOENT, -ENOTDIR, -EACCES,
 * -ELOOP, -ENAMETOOLONG, -EBADF. May sleep.
 */
[[nodiscard]] int path_lookup(int dirfd, const char *path, u32 flags, struct path *out);

/*
 * Walks to the parent of the last component. *dir gets the parent with references, *last points into `path` at the last component
 * (without trailing slashes: *last_length), *trailing tells that slashes followed. The last component may be "." or "..".
 */
[[nodiscard]] int path_lookup_parent(int dirfd, const char *path, u32 flags, struct path *dir,
				     const char **last, size_t *last_length, bool *trailing);

/*
 * The directory that a path lies in (itself at the root of a mount), and the child of a directory with what is mounted
 * there; with references, without permission checks. -ENOENT. May sleep.
 */
void path_parent(const struct path *path, struct path *out);
[[nodiscard]] int path_child(const struct path *dir, const char *name, struct path *out);

/* Opens: openat2(2) with a kernel path. *out: file with a reference and no handle. */
struct open_request {
	u32 flags;	  /* O_* */
	u32 mode;	  /* permissions of a new file, umask not applied yet */
	u32 lookup_flags; /* LOOKUP_* of openat2's RESOLVE_*; 0 */
};
[[nodiscard]] int vfs_open(int dirfd, const char *path, const struct open_request *req,
			   struct file **out);
/*
 * Opens a program: execute permission instead of read, no mount with noexec. -EACCES if it is no regular file, -ETXTBSY if
 * it is open for writing; nobody can open it so until the file is destroyed.
 */
[[nodiscard]] int vfs_open_executable(int dirfd, const char *path, u32 lookup_flags,
				      struct file **out);
/* Opens a path that was found already; checks permissions. */
[[nodiscard]] int vfs_open_path(const struct path *path, u32 flags, struct file **out);

/* The same without any check: for files that the kernel has just made. */
[[nodiscard]] int vfs_open_unchecked(const struct path *path, u32 flags, struct file **out);

/* The calls of the same names; kernel paths; permissions of the current task are checked. */
[[nodiscard]] int vfs_mknod(int dirfd, const char *path, u32 mode, u64 device);
[[nodiscard]] int vfs_mkdir(int dirfd, const char *path, u32 mode);
[[nodiscard]] int vfs_unlink(int dirfd, const char *path);
[[nodiscard]] int vfs_rmdir(int dirfd, const char *path);
[[nodiscard]] int vfs_symlink(const char *target, int dirfd, const char *path);
[[nodiscard]] int vfs_link(int from_dirfd, const char *from, int to_dirfd, const char *to,
			   u32 lookup_flags);
[[nodiscard]] int vfs_rename(int from_dirfd, const char *from, int to_dirfd, const char *to,
			     u32 flags);
[[nodiscard]] int vfs_set_attributes(const struct path *path, struct inode_attributes *attr);
[[nodiscard]] int vfs_stat(const struct path *path, struct kstat *out);
[[nodiscard]] int vfs_file_stat(struct file *file, struct kstat *out);
[[nodiscard]] int vfs_set_file_attributes(struct file *file, struct inode_attributes *attr);
/* utimensat, chmod and the like for an inode; mount may be null (anonymous files). */
[[nodiscard]] int vfs_set_inode_attributes(struct mount *mount, struct inode *inode,
					   struct inode_attributes *attr);
/* Sets the size; the caller may write to it. RLIMIT_FSIZE and -EFBIG. */
[[nodiscard]] int vfs_truncate(const struct path *path, u64 size);
[[nodiscard]] int vfs_mount(const char *source, const char *target, const char *type, u64 flags,
			    const char *data);
[[nodiscard]] int vfs_unmount(const char *target, int flags);
[[nodiscard]] int vfs_pivot_root(const char *new_root, const char *put_old);
[[nodiscard]] int vfs_statfs(const struct path *path, struct statfs_info *out);
/* Reads the target of a symbolic link (magic ones too) into a text that the caller frees with kfree. -EINVAL: no link. */
[[nodiscard]] int vfs_read_link(const struct path *path, char **out);

/* A path in the tree of `root`, which "/", ".." and links do not lead out of; no magic links. */
[[nodiscard]] int path_lookup_in(const struct path *root, const char *text, u32 flags,
				 struct path *out);

/*
 * A confined task starts from directories below its root only, and opens no other file anew by the handle it has: 0 or -EACCES,
 * recorded. May sleep.
 */
[[nodiscard]] int path_check_confined(const struct path *path);

/*
 * The path of an open file, with references. Files without a name get a dentry of their own, so that /proc/pid/fd works
 * for pipes and the like. -ENOMEM.
 */
[[nodiscard]] int file_path(struct file *file, struct path *out);

/* -EROFS if the mount or its file system is read-only. */
[[nodiscard]] int path_check_writable(const struct path *path);

/* lseek of directories: offsets are positions of read_directory; only SEEK_SET and SEEK_CUR. */
s64 file_seek_directory(struct file *file, s64 offset, int whence);

/* For read_directory: "." and ".." at offsets 0 and 1; false: the buffer is full. Entries follow from offset 2 on. */
bool directory_emit_dots(struct file *file, struct directory_context *ctx);

/* Sets the size of a regular file, whatever the permissions; times change, setuid bits go. -EFBIG, -EINVAL. May sleep. */
[[nodiscard]] int inode_truncate(struct inode *inode, u64 size);

/*
 * Changes attributes whatever the permissions, in memory and on the disk; an access list follows the mode. Errors of the
 * file system. May sleep.
 */
[[nodiscard]] int inode_set_attributes(struct inode *inode, const struct inode_attributes *attr)
	__must_hold(&inode->lock);

/* Stores attributes in the inode's own fields, for set_attributes operations; not the size. */
void inode_apply_attributes(struct inode *inode, const struct inode_attributes *attr);

/* Owner, group and mode of a new inode in `dir`: the current task's, or the group of a setgid directory. */
void inode_init_owner(struct inode *inode, const struct inode *dir, u32 mode);

/*
 * What every write to a regular file checks first, with the inode's lock held: moves *offset to the end with O_APPEND, and
 * cuts `it` at RLIMIT_FSIZE and the file system's largest size. -EFBIG (with SIGXFSZ). Returns the bytes to write.
 */
[[nodiscard]] ssize_t file_write_checks(struct file *file, const struct iter *it, u64 *offset);

/* O_DIRECT works: block devices, and files whose open operation said so (FILE_MODE_DIRECT). */
bool file_allows_direct(const struct file *file);

/* A file may grow to this size: -EFBIG past RLIMIT_FSIZE (with SIGXFSZ) or what its file system can hold. inode->lock is held. */
[[nodiscard]] int inode_check_new_size(const struct inode *inode, u64 size);

/* The file was read: updates the access time as the mount's flags say (relatime). */
void file_accessed(struct file *file);
/* The contents were changed: modification and change time; clears setuid bits where write(2) does. */
void file_modified(struct file *file);

/*
 * Calls visit for every mount of the name space that `root` is in, oldest first, until it returns false; with mount_tree_lock held shared:
 * it must not sleep for long or mount.
 */
void mount_for_each(const struct path *root, bool (*visit)(struct mount *mount, void *arg),
		    void *arg);
/* fs.mount-max: how many mounts there may be; Linux counts in each name space, this is all of them together. */
extern u32 mount_count_max;
/* The flags of a mount, ",nosuid,relatime", and of its file system, ",sync", but for read-only. They return the length. */
size_t mount_options_text(const struct mount *mount, char *buf, size_t size);
size_t superblock_flags_text(const struct superblock *sb, char *buf, size_t size);
/* The optional fields of mountinfo, each with a space before it: mount_namespaces(7). For visitors of mount_for_each. */
size_t mount_propagation_text(const struct mount *mount, const struct path *root, char *buf,
			      size_t size);
/* What of its file system a mount shows: "/", "/directory", "net:[4026531840]". Points into buf; null: does not fit. */
char *mount_root_text(const struct mount *mount, char *buf, size_t size);
/* A mount that is in no tree, for file systems of the kernel's own; takes over the superblock's reference. -ENOMEM. */
[[nodiscard]] int mount_create_internal(struct superblock *sb, struct mount **out);
void mount_get(struct mount *mount);
void mount_put(struct mount *mount);

/* Checks MAY_* of an inode for the current task's fsuid, fsgid and capabilities. 0 or -EACCES. */
[[nodiscard]] int inode_permission(struct inode *inode, u32 mask);

/*
 * The text of a path as seen from `root` (null: the current task's), e.g. for getcwd, /proc/pid/fd. Returns a pointer into buf, or
 * null if it does not fit. "(unreachable)" and " (deleted)" as Linux.
 */
char *path_text(const struct path *path, const struct path *root, char *buf, size_t size);

/*
 * mmap(2) of the file behind a handle into an address space: `req` without object, file and may. What is mapped through a derived
 * handle goes with it. -EBADF, -EACCES (the handle lacks MAP and READ, or WRITE for a shared mapping to be written to), -EPERM, -ENODEV,
 * and what aspace_map says. May sleep.
 */
struct aspace;
struct map_request;
[[nodiscard]] int vfs_map(struct aspace *as, struct pool *pool, int fd, struct map_request *req,
			  vaddr_t *out);

/* Boot: dentry and inode caches, the root tmpfs, the kernel's fs_context. */
void vfs_init(void);

/* Devices: what /dev shows. A node appears in every devtmpfs at once. */
struct device_node {
	const char *
		name; /* "null", "input/event0"; null: no name in /dev (pseudo terminals: devpts shows them) */
	u32 mode; /* S_IFCHR | 0666 */
	u64 device;
	u32 minors; /* how many minor numbers from `device` on it serves; 0 means 1 */
	/* Opens: sets file->ops and private. Finds its device by inode->device_number: the node may be gone. */
	int (*open)(struct inode *inode, struct file *file);
	struct list_head node;
	const char *class_name; /* for /sys/class: "mem", "tty" */
};
/* The name without the directory in /dev, as /sys and /proc/misc have it. */
const char *device_node_base_name(const struct device_node *node);
void device_register(struct device_node *node);
void device_unregister(struct device_node *node);
/* Opens the device whose number the inode has: what its driver says, -ENXIO if there is none. May sleep. */
[[nodiscard]] int device_node_open(struct inode *inode, struct file *file);
