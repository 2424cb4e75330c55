/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal: groups of changes of metadata blocks that reach the disk wholly or not at all, in the format of jbd2.
 * journal.c has the theory.
 */
#pragma once

#include <block/buffer.h>

struct journal;
struct transaction;

/* Where a file system's journal lies: blocks `logical`.. of it are at `physical`.. of the device. */
struct journal_extent {
	u32 logical, count;
	u64 physical;
};

/*
 * Reads and checks the superblock of the journal in `extents` (moves in on success, kfree), which cover its blocks from 0
 * without a gap. -EINVAL (damaged), -EOPNOTSUPP (features), -EIO, -ENOMEM. May sleep.
 */
[[nodiscard]] int journal_open(struct buffer_cache *cache, struct journal_extent *extents,
			       unsigned extent_count, struct journal **out);
/* True if there is something to replay. */
bool journal_is_dirty(const struct journal *journal);
/* The error that the journal remembers from before (s_errno), or 0. */
int journal_former_error(const struct journal *journal);
/* Carries out what is in the log and empties it. -EIO, -ENOMEM, -EINVAL. May sleep. */
[[nodiscard]] int journal_replay(struct journal *journal);
/* Makes it ready for handles: `wide` if block numbers have 64 bits, `checksums` if blocks have checksums. -errno. */
[[nodiscard]] int journal_start(struct journal *journal, bool wide, bool checksums);
/* Commits, brings all home, and marks the log as empty. The first error. May sleep. */
[[nodiscard]] int journal_stop(struct journal *journal);
/* Frees it; no handle is open, and after journal_start came journal_stop or journal_abort. */
void journal_close(struct journal *journal);

/* Ends all writing: handles and commits fail with -EROFS from now on. Any context that may sleep. */
void journal_abort(struct journal *journal, int error);
int journal_error(const struct journal *journal); /* 0, or why it was aborted */

/* A piece of work whose changes belong together. On the stack of a thread; does not nest. */
struct journal_handle {
	struct journal *journal; /* null: a file system without a journal */
	struct transaction *transaction;
	u32 credits; /* blocks that it may still add to its transaction */
	u32 tid;
	u32 flags; /* the file system's */
};

/*
 * Begins: up to `credits` different blocks will be changed. May wait for a commit, so the caller holds no lock that the
 * holder of another handle waits for. -EROFS after an abort, -ENOMEM, -ENOSPC if the journal is too small. May sleep.
 */
[[nodiscard]] int journal_begin(struct journal *journal, u32 credits, struct journal_handle *out);
void journal_end(struct journal_handle *handle);
/* Asks for more credits without waiting; false: end the handle and begin another one. */
[[nodiscard]] bool journal_extend(struct journal_handle *handle, u32 credits);

/* Before the first change of a block in a handle; the caller has a reference. -ENOMEM, -EROFS. May sleep. */
[[nodiscard]] int journal_change(struct journal_handle *handle, struct buffer *buffer);
/* After each change. */
void journal_changed(struct journal_handle *handle, struct buffer *buffer);
/* A metadata block is free: what the log has of it must not come back. The block is not used again before commit. */
[[nodiscard]] int journal_revoke(struct journal_handle *handle, u64 block);

/* Called after the transaction of the handle is durable, or was given up (status): may sleep, owns itself. */
struct journal_callback {
	struct list_head node;
	void (*run)(struct journal_callback *callback, int status);
};
/* False if there is no journal to wait for: the caller does its work at once. */
[[nodiscard]] bool journal_after_commit(struct journal_handle *handle,
					struct journal_callback *callback);

/* Makes transaction `tid` durable. -EROFS after an abort, -EIO, -ENOMEM. May sleep. */
[[nodiscard]] int journal_commit(struct journal *journal, u32 tid);
bool journal_is_committed(const struct journal *journal, u32 tid);
/* The running transaction, or the last one: what there is now is durable once that is committed. */
u32 journal_current_tid(struct journal *journal);
/* Commits the running transaction if it began more than `age_ns` ago. */
[[nodiscard]] int journal_commit_old(struct journal *journal, u64 age_ns);
/* Brings home what is committed, to have room in the log, if more than half of it is full. */
[[nodiscard]] int journal_checkpoint_some(struct journal *journal);
/* The most credits that a handle may ask for. */
u32 journal_credits_max(const struct journal *journal);

/* Boot. */
void journal_boot(void);
