/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dentry cache: what the rest of vfs and file systems may do with dentries. The rules are in dcache.c. */
#pragma once

#include <vfs/vfs.h>

/*
 * Counts changes of the name space that a walk without references must notice: renames, mounts, unmounts. Odd while
 * one is going on.
 */
extern u32 namespace_sequence;
extern struct spinlock namespace_lock;

/* Begin and end of such a change. Between the two nothing may sleep. */
void namespace_change_begin(void) __acquires(&namespace_lock);
void namespace_change_end(void) __releases(&namespace_lock);

static inline u32 namespace_read_begin(void)
{
	return __atomic_load_n(&namespace_sequence, __ATOMIC_ACQUIRE);
}
/* True if nothing changed since `sequence` was read, which must be even. */
static inline bool namespace_read_valid(u32 sequence)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return READ_ONCE(namespace_sequence) == sequence;
}

/* The hash of a name, a byte at a time so that the walk can mix it into its scan for the slash. */
#define NAME_HASH_START 0x811c9dc5u
static inline u32 name_hash_step(u32 hash, char c)
{
	return (hash ^ (u8)c) * 0x01000193u;
}
static inline u32 name_hash(const char *name, size_t length)
{
	u32 hash = NAME_HASH_START;

	for (size_t i = 0; i < length; i++)
		hash = name_hash_step(hash, name[i]);
	return hash;
}

/* A component of a path. */
struct name {
	const char *text;
	u32 length;
	u32 hash;
};

static inline void dentry_get(struct dentry *dentry)
{
	__atomic_fetch_add(&dentry->refs, 1, __ATOMIC_RELAXED);
}
/* Adds a reference to what was found under RCU; false: it is being freed. */
[[nodiscard]] bool dentry_get_unless_dead(struct dentry *dentry);
/* Drops one. May sleep when the last reference of an unlinked file goes. */
void dentry_put(struct dentry *dentry);

/* Finds a child in the hash. Under RCU; no reference; the answer holds only if namespace_sequence did not change. */
struct dentry *dcache_find_rcu(const struct dentry *parent, const struct name *name);

/* The child if it is in the cache and the file system confirms it, with a reference; else null. May sleep. */
struct dentry *dcache_lookup(struct dentry *parent, const struct name *name);

/*
 * The child called `name` of a directory, positive or negative, with a reference, from the cache or the file system.
 * The _locked form is for those who hold the directory inode's lock, shared or not. -ENOENT: the directory was removed;
 * -ELOOP, -EUCLEAN: a damaged disk shows a directory in a second place; -ENAMETOOLONG, -ENOMEM or what the file system
 * says. May sleep.
 */
[[nodiscard]] int dentry_lookup(struct dentry *parent, const struct name *name,
				struct dentry **out);
[[nodiscard]] int dentry_lookup_locked(struct dentry *parent, const struct name *name,
				       struct dentry **out);

/*
 * Enters a name that the file system came upon by itself, while it listed the directory whose inode's lock is held, shared or not; moves the
 * inode's reference in. *out with a reference: it, with this `private`, or one that was there before. Errors as above.
 */
[[nodiscard]] int dentry_enter_locked(struct dentry *parent, const struct name *name,
				      struct inode *inode, void *private, struct dentry **out);

/* Makes a negative dentry positive; moves the reference of the inode in. */
void dentry_instantiate(struct dentry *dentry, struct inode *inode);

/* Takes the name out of the cache: it was removed, or is not true any more. Users keep what they have. */
void dentry_drop(struct dentry *dentry);

/* After a rename: `from` takes the place of `to`, which leaves the cache or, with `exchange`, takes the place of `from`. */
void dentry_move(struct dentry *from, struct dentry *to, bool exchange);

/* A dentry that is in no directory: roots, anonymous files, O_TMPFILE. Moves the inode's reference in. -ENOMEM. */
[[nodiscard]] int dentry_create_detached(struct superblock *sb, struct inode *inode,
					 const char *name, struct dentry **out);

/* True if `dentry` is `ancestor` or below it in the same file system. */
bool dentry_is_below(struct dentry *dentry, struct dentry *ancestor);

/* Frees up to `count` unused dentries, oldest first; returns how many. May sleep. */
u64 dcache_shrink(u64 count);
/* Frees all dentries of a file system that nobody uses any more, but for its root. May sleep. */
void dcache_shrink_superblock(struct superblock *sb);

/* Frees the names in a removed directory that nobody uses: that they were looked up must not keep its inode. May sleep. */
void dcache_free_children(struct dentry *dir);

/* How many dentries there are, and how many of them nobody uses. */
u64 dcache_count(void);
u64 dcache_unused_count(void);

/* Boot. */
void dcache_init(void);
