/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the journal share. */
#pragma once

#include <block/batch.h>
#include <fs/ext4/journal/journal.h>
#include <fs/ext4/journal/journal_format.h>

/* A block in a transaction. */
struct journal_entry {
	struct list_head node; /* in transaction.entries */
	struct buffer *buffer; /* holds a reference */
	struct transaction *transaction;
};

struct transaction {
	u32 tid;
	u32 handles;	 /* open */
	u32 count;	 /* entries */
	u32 outstanding; /* credits of open handles that are not entries yet */
	bool locked;	 /* takes no new handles */
	struct list_head entries;
	struct list_head callbacks;
	struct radix_tree revoked; /* block -> this transaction */
	u64 start_ns;
	u32 log_start, log_blocks; /* where it is in the log, and how much */
	struct list_head node;	   /* in journal.finished */
};

struct journal {
	struct buffer_cache *cache;
	struct block_device *device;
	struct journal_extent *extents; /* owned */
	unsigned extent_count;
	u32 block_size;
	u32 first, length; /* the log is blocks [first, length) of the journal */
	u32 incompat;	   /* features */
	u32 checksum_seed;
	u32 max_transaction; /* blocks */
	u32 tag_size;
	/* A copy of the block, block_size bytes; guarded by commit_lock. */
	struct journal_super *super;
	int former_error;
	bool started;
	int error; /* atomic: why it was aborted */

	/* One commit or checkpoint at a time. */
	struct mutex commit_lock;
	u32 head;	    /* next block of the log; guarded by commit_lock, as is `super` */
	bool empty_on_disk; /* super->s_start is 0; the same */

	struct spinlock lock; /* everything below, and the entries of all transactions */
	struct transaction *running;
	struct transaction *committing;
	struct list_head finished; /* committed, not all at home: oldest first */
	u32 free;		   /* blocks of the log */
	u32 next_tid;
	u32 committed; /* tid of the last durable transaction */
	/* A transaction was unlocked, a handle ended, a write home ended. */
	struct wait_queue waiters;
};

extern struct slab_cache *journal_entry_cache;

static inline bool tid_reached(u32 now, u32 tid)
{
	return (s32)(now - tid) >= 0;
}

/* Reads or writes a block of the journal, by its number in the journal. May sleep. */
[[nodiscard]] int journal_read_block(struct journal *journal, u32 logical, void *to);
u64 journal_block_at(const struct journal *journal, u32 logical, u32 *run);
/* Checksums and writes the superblock, durably. */
[[nodiscard]] int journal_write_super(struct journal *journal) __must_hold(&journal->commit_lock);
/* s_start and s_sequence: recovery begins at block `start` (0: nowhere) with transaction `tid`. */
[[nodiscard]] int journal_set_tail(struct journal *journal, u32 start, u32 tid)
	__must_hold(&journal->commit_lock);
u32 journal_next_block(const struct journal *journal, u32 logical, u32 step);
bool journal_has_checksums(const struct journal *journal);
u32 journal_tag_checksum(const struct journal *journal, const void *block, u32 sequence);
u32 journal_tail_checksum(const struct journal *journal, void *block);
u32 journal_commit_checksum(const struct journal *journal, void *block);
/* Blocks of the log that a transaction of `count` blocks takes at most. */
u32 journal_space(const struct journal *journal, u32 count);
unsigned journal_tags_per_block(const struct journal *journal);

/* Commits the running transaction. */
[[nodiscard]] int journal_commit_locked(struct journal *journal) __must_hold(&journal->commit_lock);
/* Brings transactions home, oldest first, until `wanted` blocks of the log are free or it needs a commit to go on. */
[[nodiscard]] int journal_checkpoint_locked(struct journal *journal, u32 wanted)
	__must_hold(&journal->commit_lock);
struct transaction *transaction_create(void);
void transaction_free(struct transaction *transaction);
void journal_drop_entry(struct journal_entry *entry);
