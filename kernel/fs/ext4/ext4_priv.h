/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of ext4 share; super.c has the theory. */
#pragma once

#include <block/block.h>
#include <block/buffer.h>
#include <core/wait.h>
#include <fs/ext4/ext4_format.h>
#include <fs/ext4/journal/journal.h>
#include <lib/rbtree.h>
#include <mm/memory_object.h>
#include <vfs/vfs.h>

/* As what the contents of a buffer were checked (buffer.verified). */
enum ext4_block_kind {
	EXT4_KIND_NONE,
	EXT4_KIND_BLOCK_BITMAP,
	EXT4_KIND_INODE_BITMAP,
	EXT4_KIND_EXTENTS,
	EXT4_KIND_DIRECTORY,
	EXT4_KIND_INDEX,
	EXT4_KIND_XATTR,
};

struct ext4_group {
	struct mutex lock; /* bitmaps, counts and descriptor */
	/* Blocks that are free on the disk but must not be taken: on their way in or out (allocate_block.c). */
	u64 *busy;
	u32 busy_count;
	u32 free;	 /* blocks that may be taken now */
	u32 largest;	 /* no free run is longer; UINT32_MAX: not known */
	u32 free_inodes; /* a copy of the descriptor's */
	bool damaged;	 /* nothing is allocated here */
};

struct ext4 {
	struct superblock *sb;
	struct block_device *device;
	struct buffer_cache *cache;
	struct journal *journal; /* null: none */
	struct buffer *super_buffer;
	struct ext4_super_block *super; /* in super_buffer */
	struct buffer **descriptors;	/* blocks of group descriptors */
	u32 descriptor_blocks;
	struct ext4_group *groups;

	u32 block_size, block_bits;
	u64 blocks;
	u32 first_block; /* of group 0 */
	u32 blocks_per_group, inodes_per_group, inodes, first_inode;
	u32 group_count, inode_size, descriptor_size, descriptors_per_block;
	u32 flex_bits;
	u32 compat, incompat, ro_compat;
	u32 checksum_seed;
	bool checksums;	      /* METADATA_CSUM */
	bool group_checksums; /* GDT_CSUM */
	u32 hash_seed[4];
	u32 hash_version; /* with the signedness of this file system */
	u64 overhead;	  /* blocks of metadata */

	bool writable; /* mounted read-write */
	bool cleaning; /* orphans are being deleted, at mount */
	bool failed;   /* atomic: no more writing */
	u32 on_error;  /* EXT4_ERRORS_* */
	bool discard, no_barrier, no_load, no_acl;

	s64 free_blocks;   /* atomic: of all groups */
	s64 reserved;	   /* atomic: of them promised to delayed allocation */
	s64 metadata_pool; /* of them for the metadata of that */
	s64 pending_free;  /* atomic: freed, but not durably so */
	s64 root_blocks;   /* for root only */

	struct spinlock inode_lock;
	struct radix_tree inode_tree; /* number -> struct ext4_inode; guarded by inode_lock */
	struct wait_queue inode_gone; /* an inode left the tree */

	struct mutex orphan_lock;
	struct list_head orphans; /* newest first, as on the disk; guarded by orphan_lock */
	u32 directory_group;	  /* atomic: where the search for a directory's group begins */
	u32 generation;		  /* atomic */

	bool started; /* the journal runs, and the superblock says that it is mounted */
	bool thread_stop;
	bool thread_running;
	struct wait_queue thread_waiters;
	struct completion thread_done;
};

/* Blocks that were written to in memory and have no place on the disk yet. */
struct ext4_delayed {
	struct rb_node node;
	u32 first, count;
};

struct ext4_inode {
	struct inode inode;
	struct memory_object object; /* regular files */
	struct ext4 *fs;
	u32 number;
	u32 flags;		     /* EXT4_FL_* */
	u32 block[EXT4_BLOCK_SLOTS]; /* i_block; guarded by map_lock */
	u32 generation;
	u64 version;
	u64 xattr_block;
	u64 sectors;   /* i_blocks */
	u64 disk_size; /* the size on the disk: what is mapped and written; guarded by map_lock */
	u32 extra_size, project, deleted_time; /* i_dtime; on the list of orphans: the next one */
	u32 checksum_seed;
	struct rwsem map_lock;
	struct rb_tree delayed;	     /* guarded by map_lock */
	u32 sync_tid, data_sync_tid; /* transactions that an fsync, a fdatasync waits for */
	struct list_head orphan_node;
	char *inline_data; /* EXT4_FL_INLINE_DATA: all of the contents, which are in the inode */
	bool replaced;	   /* was cut to nothing: written at close */
};

static inline struct ext4_inode *ext4_inode_of(struct inode *inode)
{
	return container_of(inode, struct ext4_inode, inode);
}
static inline struct ext4 *ext4_of(const struct superblock *sb)
{
	return sb->private;
}
static inline bool ext4_has_extents(const struct ext4_inode *inode)
{
	return inode->flags & EXT4_FL_EXTENTS;
}
static inline bool ext4_range_is_valid(const struct ext4 *fs, u64 block, u64 count)
{
	return block > fs->first_block && count <= fs->blocks && block <= fs->blocks - count;
}

/* super.c */
/* The file system is damaged: logs it, and does what errors= says. Returns -EUCLEAN, or the error given. */
int ext4_error(struct ext4 *fs, int error, const char *fmt, ...) __printf(3, 4);
/* Begins a handle for a change of `fs`; -EROFS if it takes none. */
[[nodiscard]] int ext4_begin(struct ext4 *fs, u32 credits, struct journal_handle *handle);
[[nodiscard]] int ext4_super_change(struct ext4 *fs, struct journal_handle *handle);
void ext4_super_changed(struct ext4 *fs, struct journal_handle *handle);
/* Makes all durable that was done so far. */
[[nodiscard]] int ext4_commit(struct ext4 *fs, u32 tid);
void ext4_super_sum(struct ext4 *fs);
/* Reads superblock, descriptors and journal, which is replayed; what it got is freed by ext4_release_layout, also after an
 * error. May sleep. */
[[nodiscard]] int ext4_load(struct ext4 *fs);
void ext4_release_layout(struct ext4 *fs);
/* Begins and ends changing the file system: the journal runs, the superblock says so, orphans are deleted. May sleep. */
[[nodiscard]] int ext4_start_writing(struct ext4 *fs);
[[nodiscard]] int ext4_end_writing(struct ext4 *fs);
/* Stops the thread that commits by age, if it runs. May sleep. */
void ext4_stop_thread(struct ext4 *fs);
bool ext4_super_sum_fits(const struct ext4_super_block *super);

/* options.c */
struct ext4_options {
	u32 on_error;
	bool discard, no_barrier, no_load, no_acl, read_only;
};
[[nodiscard]] int ext4_parse_options(struct ext4_options *options, const char *text);
size_t ext4_show_options(struct superblock *sb, char *buf, size_t size);

/* layout.c: reads superblock, descriptors; checks. */
[[nodiscard]] int ext4_read_layout(struct ext4 *fs);
[[nodiscard]] int ext4_read_descriptors(struct ext4 *fs);
u64 ext4_count_overhead(struct ext4 *fs);
bool ext4_group_has_super(const struct ext4 *fs, u32 group);
/* Blocks at the beginning of a group for backups of superblock and descriptors. */
u32 ext4_base_blocks(const struct ext4 *fs, u32 group);

/* group.c */
struct ext4_group_desc *ext4_descriptor(const struct ext4 *fs, u32 group);
static inline u64 ext4_group_first(const struct ext4 *fs, u32 group)
{
	return fs->first_block + (u64)group * fs->blocks_per_group;
}
u32 ext4_group_blocks(const struct ext4 *fs, u32 group);
u64 ext4_block_bitmap_at(const struct ext4 *fs, u32 group);
u64 ext4_inode_bitmap_at(const struct ext4 *fs, u32 group);
u64 ext4_inode_table_at(const struct ext4 *fs, u32 group);
u32 ext4_free_blocks_of(const struct ext4 *fs, const struct ext4_group_desc *d);
u32 ext4_free_inodes_of(const struct ext4 *fs, const struct ext4_group_desc *d);
u32 ext4_used_directories_of(const struct ext4 *fs, const struct ext4_group_desc *d);
u32 ext4_unused_inodes_of(const struct ext4 *fs, const struct ext4_group_desc *d);
void ext4_set_free_blocks(const struct ext4 *fs, struct ext4_group_desc *d, u32 n);
void ext4_set_free_inodes(const struct ext4 *fs, struct ext4_group_desc *d, u32 n);
void ext4_set_used_directories(const struct ext4 *fs, struct ext4_group_desc *d, u32 n);
void ext4_set_unused_inodes(const struct ext4 *fs, struct ext4_group_desc *d, u32 n);
bool ext4_descriptor_sum_fits(const struct ext4 *fs, u32 group);
[[nodiscard]] int ext4_descriptor_change(struct ext4 *fs, struct journal_handle *handle, u32 group);
void ext4_descriptor_changed(struct ext4 *fs, struct journal_handle *handle, u32 group);
/* The bitmaps of a group, checked, with a reference; made if they were never written. Under its lock. */
[[nodiscard]] int ext4_block_bitmap(struct ext4 *fs, u32 group, struct buffer **out);
[[nodiscard]] int ext4_inode_bitmap(struct ext4 *fs, u32 group, struct buffer **out);
void ext4_block_bitmap_sum(struct ext4 *fs, u32 group, const struct buffer *bitmap);
void ext4_inode_bitmap_sum(struct ext4 *fs, u32 group, const struct buffer *bitmap);

/* allocate_block.c: see there. */
struct ext4_claim {
	u64 block;
	u32 count;
};
/* ALLOCATE_* */
#define EXT4_ALLOCATE_RESERVED BIT(0) /* was promised: reserved blocks and the pool are for it */
#define EXT4_ALLOCATE_METADATA BIT(1) /* may use the pool */
/* Takes up to `wanted` blocks near `goal` out of the free ones, in memory. -ENOSPC. */
[[nodiscard]] int ext4_claim_blocks(struct ext4 *fs, u64 goal, u32 wanted, u32 flags,
				    struct ext4_claim *out);
/* They are in use from now on: the bitmap is changed. */
[[nodiscard]] int ext4_commit_claim(struct ext4 *fs, struct journal_handle *handle, u64 block,
				    u32 count);
void ext4_cancel_claim(struct ext4 *fs, u64 block, u32 count);
/* One metadata block near `goal`, claimed and committed. */
[[nodiscard]] int ext4_allocate_block(struct ext4 *fs, struct journal_handle *handle, u64 goal,
				      u64 *block);
/* There may be room once what was freed is durable: waits for that. False: there will not. */
bool ext4_wait_for_room(struct ext4 *fs);
/* Frees blocks. `metadata`: they are revoked. */
[[nodiscard]] int ext4_free_blocks(struct ext4 *fs, struct journal_handle *handle, u64 block,
				   u64 count, bool metadata);
/* Promises `count` blocks (and those of their metadata). -ENOSPC. */
[[nodiscard]] int ext4_reserve(struct ext4 *fs, u32 count);
void ext4_unreserve(struct ext4 *fs, u32 count);
[[nodiscard]] int ext4_trim(struct ext4 *fs, u64 start, u64 length, u64 minimum, u64 *trimmed);
#define EXT4_CREDITS_ALLOCATE 3u

/* allocate_inode.c */
[[nodiscard]] int ext4_allocate_inode(struct ext4 *fs, struct journal_handle *handle,
				      struct ext4_inode *dir, u32 mode, u32 *number);
[[nodiscard]] int ext4_release_inode(struct ext4 *fs, struct journal_handle *handle, u32 number,
				     bool directory);

/* inode_table.c */
/* Reads an inode from its table and checks it. -ESTALE: it is free. */
[[nodiscard]] int ext4_inode_read(struct ext4_inode *inode);
/* Its contents are in blocks, not in the inode itself. */
bool ext4_inode_has_blocks(const struct ext4_inode *inode);
/* Writes the number of a device file into i_block. */
void ext4_inode_encode_device(struct ext4_inode *inode);

/* inode.c */
[[nodiscard]] int ext4_inode_get(struct ext4 *fs, u32 number, struct ext4_inode **out);
/* What the bitmap says of a valid number. */
[[nodiscard]] int ext4_inode_is_used(struct ext4 *fs, u32 number, bool *used);
extern const struct export_ops ext4_export_ops;
/* A new inode in `dir`, in the tree, with links 1 (2 for directories), stored. */
[[nodiscard]] int ext4_inode_create(struct ext4 *fs, struct journal_handle *handle,
				    struct ext4_inode *dir, u32 mode, u64 device,
				    struct ext4_inode **out);
/* Writes the inode's attributes into its table. */
[[nodiscard]] int ext4_inode_store(struct journal_handle *handle, struct ext4_inode *inode);
/* The block of the table with the inode, and where in it. */
[[nodiscard]] int ext4_inode_raw(struct ext4_inode *inode, struct buffer **buffer,
				 struct ext4_disk_inode **raw);
void ext4_inode_sum(const struct ext4_inode *inode, struct ext4_disk_inode *raw);
u32 ext4_inode_seed(const struct ext4 *fs, u32 number, u32 generation);
/* Stores attributes that changed in memory only. */
[[nodiscard]] int ext4_inode_flush(struct ext4_inode *inode);
[[nodiscard]] int ext4_inodes_flush(struct ext4 *fs);
u64 ext4_max_size(const struct ext4 *fs, bool extents);
void ext4_inode_cache_boot(void);
/* Sets up operations for the kind of file. */
void ext4_inode_set_ops(struct ext4_inode *inode);
int ext4_set_attributes(struct inode *inode, const struct inode_attributes *attr);
int ext4_get_attributes(struct inode *inode, struct kstat *out);
[[nodiscard]] int ext4_inode_is_writable(const struct ext4_inode *inode);

/* orphan.c */
[[nodiscard]] int ext4_orphan_add(struct journal_handle *handle, struct ext4_inode *inode);
[[nodiscard]] int ext4_orphan_remove(struct journal_handle *handle, struct ext4_inode *inode);
[[nodiscard]] int ext4_orphans_clean(struct ext4 *fs);
/* True if a file that has no name any more is still in use. May sleep. */
bool ext4_orphans_in_use(struct ext4 *fs);

/* map.c */
struct ext4_map {
	u32 logical, count;
	u64 block; /* 0: a hole */
	bool unwritten;
};
/* What is at `logical`, and how many blocks go on like that (at least 1). Under map_lock. */
[[nodiscard]] int ext4_map_find(struct ext4_inode *inode, u32 logical, struct ext4_map *out);
/* Maps claimed and committed blocks into a hole. What cannot be mapped is freed. Under map_lock exclusively. */
[[nodiscard]] int ext4_map_insert(struct journal_handle *handle, struct ext4_inode *inode,
				  const struct ext4_map *map);
/* Unmaps [first, last] and frees the blocks as far as the credits last; *next: where to go on, beyond last when done. */
[[nodiscard]] int ext4_map_remove(struct journal_handle *handle, struct ext4_inode *inode,
				  u32 first, u32 last, u32 *next);
/* Marks unwritten blocks as written. */
[[nodiscard]] int ext4_map_convert(struct journal_handle *handle, struct ext4_inode *inode,
				   u32 first, u32 count);
u32 ext4_map_credits(const struct ext4_inode *inode);
/* The next block of a directory or the like that changes by blocks: its number, 0 for a hole. */
[[nodiscard]] int ext4_map_block(struct ext4_inode *inode, u32 logical, u64 *block);
u64 ext4_map_goal(struct ext4_inode *inode, u32 logical);
/* Unmaps and frees [first, last] in as many handles as it takes. The inode's size was changed before. */
[[nodiscard]] int ext4_remove_blocks(struct ext4_inode *inode, u32 first, u32 last);

/* delayed.c: under map_lock exclusively. */
[[nodiscard]] int ext4_delayed_add(struct ext4_inode *inode, u32 first, u32 count);
/* Takes [first, last] out; returns how many blocks were there. -ENOMEM leaves all as it was. */
[[nodiscard]] s64 ext4_delayed_remove(struct ext4_inode *inode, u32 first, u32 last);
bool ext4_delayed_has(const struct ext4_inode *inode, u32 logical, u32 *run);

/* extent.c, extent_change.c */
[[nodiscard]] int ext4_extent_find(struct ext4_inode *inode, u32 logical, struct ext4_map *out);
[[nodiscard]] int ext4_extent_insert(struct journal_handle *handle, struct ext4_inode *inode,
				     const struct ext4_map *map);
[[nodiscard]] int ext4_extent_remove(struct journal_handle *handle, struct ext4_inode *inode,
				     u32 first, u32 last, u32 *next);
[[nodiscard]] int ext4_extent_convert(struct journal_handle *handle, struct ext4_inode *inode,
				      u32 first, u32 count);
void ext4_extent_init(struct ext4_inode *inode);
u32 ext4_extent_depth(const struct ext4_inode *inode);
/* The tree in i_block is not nonsense. */
bool ext4_extent_root_is_valid(const struct ext4_inode *inode);

/* indirect.c */
[[nodiscard]] int ext4_indirect_find(struct ext4_inode *inode, u32 logical, struct ext4_map *out);
[[nodiscard]] int ext4_indirect_insert(struct journal_handle *handle, struct ext4_inode *inode,
				       const struct ext4_map *map);
[[nodiscard]] int ext4_indirect_remove(struct journal_handle *handle, struct ext4_inode *inode,
				       u32 first, u32 last, u32 *next);

/* directory.c: blocks of entries. */
struct ext4_slot {
	struct buffer *buffer; /* of the block with the entry; null: inline data */
	u32 offset;	       /* of the entry in it */
	u32 previous;	       /* of the one before, or UINT32_MAX */
	u32 logical;	       /* the block's */
	u32 number;	       /* inode */
	u8 type;
};
struct ext4_name {
	const char *text;
	u32 length;
};
[[nodiscard]] int ext4_directory_block(struct ext4_inode *dir, u32 logical, struct buffer **out);
[[nodiscard]] int ext4_directory_append(struct journal_handle *handle, struct ext4_inode *dir,
					u32 *logical, struct buffer **out);
u32 ext4_directory_space(const struct ext4 *fs); /* bytes of a block for entries */
void ext4_directory_sum(struct ext4_inode *dir, struct buffer *buffer);
void ext4_directory_make_tail(struct ext4_inode *dir, struct buffer *buffer);
bool ext4_entry_is_valid(const struct ext4 *fs, const char *data, u32 space, u32 offset);
u32 ext4_entry_size(u32 name_length);
/* Looks for a name in one block of entries: 1 found, 0 not, -errno. */
[[nodiscard]] int ext4_block_search(struct ext4_inode *dir, char *data, u32 space,
				    const struct ext4_name *name, struct ext4_slot *slot);
/* Adds an entry to one block. -ENOSPC if it has no room. */
[[nodiscard]] int ext4_block_add(struct ext4_inode *dir, char *data, u32 space,
				 const struct ext4_name *name, u32 number, u8 type);
[[nodiscard]] int ext4_directory_find(struct ext4_inode *dir, const struct ext4_name *name,
				      struct ext4_slot *slot);
[[nodiscard]] int ext4_directory_add(struct journal_handle *handle, struct ext4_inode *dir,
				     const struct ext4_name *name, struct ext4_inode *inode);
[[nodiscard]] int ext4_directory_delete(struct journal_handle *handle, struct ext4_inode *dir,
					struct ext4_slot *slot);
/* Finds an entry that is to be changed, in a block. -ENOENT. */
[[nodiscard]] int ext4_directory_open(struct journal_handle *handle, struct ext4_inode *dir,
				      const struct ext4_name *name, struct ext4_slot *slot);
/* Makes an entry name another inode. */
[[nodiscard]] int ext4_directory_set(struct journal_handle *handle, struct ext4_inode *dir,
				     struct ext4_slot *slot, struct ext4_inode *inode);
[[nodiscard]] int ext4_directory_make(struct journal_handle *handle, struct ext4_inode *dir,
				      u32 parent);
[[nodiscard]] int ext4_directory_is_empty(struct ext4_inode *dir);
[[nodiscard]] int ext4_directory_parent(struct ext4_inode *dir, struct ext4_slot *slot);
u8 ext4_type_of_mode(u32 mode);
void ext4_slot_put(struct ext4_slot *slot);
[[nodiscard]] int ext4_inline_to_blocks(struct journal_handle *handle, struct ext4_inode *dir);
extern const struct inode_ops ext4_directory_inode_ops, ext4_file_inode_ops, ext4_link_inode_ops,
	ext4_special_inode_ops;
extern const struct file_ops ext4_directory_ops, ext4_file_ops;
extern const struct memory_object_ops ext4_object_ops;

/* read_directory.c */
int ext4_read_directory(struct file *file, struct directory_context *ctx);

/* htree.c */
bool ext4_directory_is_indexed(const struct ext4_inode *dir);
[[nodiscard]] int ext4_htree_find(struct ext4_inode *dir, const struct ext4_name *name,
				  struct ext4_slot *slot);
[[nodiscard]] int ext4_htree_add(struct journal_handle *handle, struct ext4_inode *dir,
				 const struct ext4_name *name, struct ext4_inode *inode);
/* Makes an index for a directory of one full block, then adds. */
[[nodiscard]] int ext4_htree_make(struct journal_handle *handle, struct ext4_inode *dir,
				  const struct ext4_name *name, struct ext4_inode *inode);
/* The leaf for `hash`, the hash at which the next one begins (UINT32_MAX: it is the last), and the version of hashes. */
[[nodiscard]] int ext4_htree_leaf(struct ext4_inode *dir, u32 hash, u32 *logical, u32 *next_hash,
				  u32 *version);
void ext4_htree_root_sum(struct ext4_inode *dir, struct buffer *buffer);
bool ext4_index_is_node(const struct ext4_inode *dir, u32 logical, const struct buffer *buffer);

/* hash.c */
struct ext4_hash {
	u32 major, minor;
};
struct ext4_hash ext4_name_hash(const struct ext4 *fs, u32 version, const char *name, u32 length);

/* xattr.c */
ssize_t ext4_get_xattr(struct inode *inode, const char *name, void *value, size_t size);
int ext4_set_xattr(struct inode *inode, const char *name, const void *value, size_t size,
		   int flags);
ssize_t ext4_list_xattr(struct inode *inode, char *list, size_t size);
int ext4_remove_xattr(struct inode *inode, const char *name);
[[nodiscard]] ssize_t ext4_xattr_get(struct ext4_inode *inode, u8 index, const char *name,
				     void *value, size_t size);
/* `value` null removes it. In a handle. */
[[nodiscard]] int ext4_xattr_set(struct journal_handle *handle, struct ext4_inode *inode, u8 index,
				 const char *name, const void *value, size_t size, int flags);
/* The inode goes: drops its block of attributes. */
[[nodiscard]] int ext4_xattr_release(struct journal_handle *handle, struct ext4_inode *inode);
#define EXT4_CREDITS_XATTR 8u

/* acl.c */
struct posix_acl;
[[nodiscard]] int ext4_acl_load(struct ext4_inode *inode);
[[nodiscard]] int ext4_acl_store_new(struct journal_handle *handle, struct ext4_inode *inode);
int ext4_set_acl(struct inode *inode, int type, const struct posix_acl *acl, u32 mode);

/* inline.c */
[[nodiscard]] int ext4_inline_load(struct ext4_inode *inode);
/* Moves inline contents to blocks, before the first change. May sleep; takes handles. */
[[nodiscard]] int ext4_inline_convert(struct ext4_inode *inode);

/* write_back.c */
void ext4_fill_pages(struct memory_object *object, struct page **pages, unsigned count);
void ext4_write_back_pages(struct memory_object *object, struct page **pages, unsigned count,
			   bool sync);
int ext4_dirty_page(struct memory_object *object, struct page *page);

/* file.c, fallocate.c, ioctl.c */
[[nodiscard]] int ext4_set_size(struct ext4_inode *inode, u64 size);
int ext4_allocate(struct file *file, int mode, u64 offset, u64 length);
/* Gives the hole at `first` unwritten blocks, up to `count`; *done: how many blocks lie there now. -ENOSPC. May sleep. */
[[nodiscard]] int ext4_add_unwritten(struct ext4_inode *inode, u32 first, u32 count, u32 *done);
long ext4_ioctl(struct file *file, unsigned request, unsigned long argument);
int ext4_sync_file(struct file *file, bool data_only, u64 start, u64 end);
int ext4_sync(struct superblock *sb);
void ext4_object_cleaned(struct memory_object *object);

/* direct.c: O_DIRECT. What open(2) asks of offset and length; and what goes around the cache (D3). */
bool ext4_direct_is_aligned(const struct ext4_inode *inode, const struct iter *it, u64 offset);
bool ext4_direct_fits(const struct ext4_inode *inode, const struct iter *it, u64 offset);
/* Bytes, or -errno if there were none: -EINVAL for what is not aligned. Under inode->lock, shared; may sleep. */
[[nodiscard]] ssize_t ext4_direct_read(struct ext4_inode *inode, struct iter *it, u64 offset);
/* The same to write what ext4_direct_fits; the caller makes the file longer. Under inode->lock exclusively. */
[[nodiscard]] ssize_t ext4_direct_write(struct ext4_inode *inode, struct iter *it, u64 offset);

#define EXT4_ATTRIBUTE_OPS                                                                         \
	.set_attributes = ext4_set_attributes, .get_attributes = ext4_get_attributes,              \
	.get_xattr = ext4_get_xattr, .set_xattr = ext4_set_xattr, .list_xattr = ext4_list_xattr,   \
	.remove_xattr = ext4_remove_xattr
