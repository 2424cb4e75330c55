/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal.
 *
 *   journal.c  superblock, life    transaction.c  handles    commit.c    checkpoint.c  the way home    replay.c
 *
 * Changes of metadata happen in handles. All handles of some seconds belong to one transaction, the running one. A commit
 * stops new handles, waits for the open ones, copies the changed blocks, and lets the world go on in a new transaction
 * while the copies are written to the log. A checkpoint later writes the blocks home and moves the tail of the log.
 *
 * (J1) A block is entered into the running transaction before a handle changes it (journal_change).
 * (J2) A block is written home only when it is in no running or committing transaction: so what goes home is what the log
 *      has durably. Data of the running transaction never reaches its home early.
 * (J3) The tail moves past a transaction only when all of its blocks are durable at home, or part of a younger
 *      transaction that is durable in the log.
 * (J4) The blocks of a transaction are written before its commit block, which goes with a flush before it and FUA: a
 *      commit block that is there proves the rest, and all file data written before.
 * (J5) A freed metadata block is revoked in the transaction that freed it, and not allocated again before that
 *      transaction is durable. Then its older copies are dropped from checkpoints, so that they cannot overwrite data.
 * (J6) free >= the log space of the running transaction with all credits: a commit never lacks room.
 *
 * The copy at the commit costs a memcpy of each block; for it, handles never wait for the log to be written, and no block
 * has two versions in memory.
 *
 * Locks: commit_lock, held by who commits or checkpoints; a thread with an open handle never takes it, because the commit
 * waits for handles. `lock` guards the lists.
 */
#include <fs/ext4/journal/journal_priv.h>
#include <lib/crc32c.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>

#define KNOWN_INCOMPAT                                                                             \
	(JOURNAL_INCOMPAT_REVOKE | JOURNAL_INCOMPAT_64BIT | JOURNAL_INCOMPAT_ASYNC_COMMIT |        \
	 JOURNAL_INCOMPAT_CSUM_V2 | JOURNAL_INCOMPAT_CSUM_V3)
#define MIN_BLOCKS 256u /* of a log that may be written */

struct slab_cache *journal_entry_cache;

void journal_boot(void)
{
	journal_entry_cache = slab_cache_create("journal_entry", sizeof(struct journal_entry), 0);
}

/* --- blocks of the log --- */

/* The block of the device, and how many follow it on the device and in the journal. 0: beyond the end. */
u64 journal_block_at(const struct journal *journal, u32 logical, u32 *run)
{
	for (unsigned i = 0; i < journal->extent_count; i++) {
		const struct journal_extent *e = &journal->extents[i];

		if (logical < e->logical || logical - e->logical >= e->count)
			continue;
		*run = e->count - (logical - e->logical);
		return e->physical + (logical - e->logical);
	}
	*run = 0;
	return 0;
}

int journal_read_block(struct journal *journal, u32 logical, void *to)
{
	u32 run;
	u64 block = journal_block_at(journal, logical, &run);

	if (!block)
		return -EINVAL;
	return block_read_kernel(journal->device, block * journal->block_size, to,
				 journal->block_size);
}

u32 journal_next_block(const struct journal *journal, u32 logical, u32 step)
{
	u32 total = journal->length - journal->first;

	return journal->first + (logical - journal->first + step) % total;
}

/* --- checksums --- */

bool journal_has_checksums(const struct journal *journal)
{
	return journal->incompat & (JOURNAL_INCOMPAT_CSUM_V2 | JOURNAL_INCOMPAT_CSUM_V3);
}

/* The checksum of a block with the field at `at` taken as zero. */
static u32 checksum_without(u32 seed, void *block, u32 size, be32 *at)
{
	be32 former = *at;
	u32 sum;

	*at = (be32){ 0 };
	sum = crc32c(seed, block, size);
	*at = former;
	return sum;
}

u32 journal_tag_checksum(const struct journal *journal, const void *block, u32 sequence)
{
	be32 number = journal_to_be32(sequence);
	u32 sum = crc32c(journal->checksum_seed, &number, sizeof(number));

	return crc32c(sum, block, journal->block_size);
}

u32 journal_tail_checksum(const struct journal *journal, void *block)
{
	struct journal_tail *tail = (void *)((char *)block + journal->block_size - sizeof(*tail));

	return checksum_without(journal->checksum_seed, block, journal->block_size,
				&tail->t_checksum);
}

u32 journal_commit_checksum(const struct journal *journal, void *block)
{
	struct journal_commit_header *commit = block;

	return checksum_without(journal->checksum_seed, block, journal->block_size,
				&commit->h_chksum[0]);
}

unsigned journal_tags_per_block(const struct journal *journal)
{
	u32 room = journal->block_size - (u32)sizeof(struct journal_header) - 16 -
		   (journal_has_checksums(journal) ? (u32)sizeof(struct journal_tail) : 0);

	return room / journal->tag_size;
}

/* Its blocks, their descriptors, the commit block, and some for revoked blocks. */
u32 journal_space(const struct journal *journal, u32 count)
{
	return count + DIV_ROUND_UP(count, journal_tags_per_block(journal)) + 1 + count / 64 + 4;
}

/* --- the superblock --- */

int journal_write_super(struct journal *journal)
{
	u32 run;
	u64 block = journal_block_at(journal, 0, &run);
	struct journal_super *super = journal->super;
	int result;

	if (journal_has_checksums(journal))
		super->s_checksum = journal_to_be32(
			checksum_without(~0u, super, sizeof(*super), &super->s_checksum));
	result = block_write_kernel(journal->device, block * journal->block_size, super,
				    journal->block_size);
	return result ? result : block_flush(journal->device);
}

int journal_set_tail(struct journal *journal, u32 start, u32 tid)
{
	journal->super->s_start = journal_to_be32(start);
	journal->super->s_sequence = journal_to_be32(tid);
	journal->empty_on_disk = !start;
	return journal_write_super(journal);
}

static void set_features(struct journal *journal, u32 incompat)
{
	journal->incompat = incompat;
	if (incompat & JOURNAL_INCOMPAT_CSUM_V3)
		journal->tag_size = sizeof(struct journal_tag3);
	else
		journal->tag_size = (u32)sizeof(struct journal_tag) +
				    (incompat & JOURNAL_INCOMPAT_CSUM_V2 ? 2 : 0) -
				    (incompat & JOURNAL_INCOMPAT_64BIT ? 0 : 4);
	journal->checksum_seed = crc32c(~0u, journal->super->s_uuid, 16);
}

static int check_super(struct journal *journal)
{
	struct journal_super *super = journal->super;
	u32 type = journal_be32(super->s_header.h_blocktype), incompat = 0, run;
	const struct journal_extent *last = &journal->extents[journal->extent_count - 1];

	if (journal_be32(super->s_header.h_magic) != JOURNAL_MAGIC ||
	    (type != JOURNAL_SUPER_V1 && type != JOURNAL_SUPER_V2) ||
	    journal_be32(super->s_blocksize) != journal->block_size)
		return -EINVAL;
	if (type == JOURNAL_SUPER_V2)
		incompat = journal_be32(super->s_feature_incompat);
	if ((incompat & ~KNOWN_INCOMPAT) ||
	    (type == JOURNAL_SUPER_V2 && journal_be32(super->s_feature_ro_compat)))
		return -EOPNOTSUPP;
	if ((incompat & JOURNAL_INCOMPAT_CSUM_V2) && (incompat & JOURNAL_INCOMPAT_CSUM_V3))
		return -EINVAL;
	set_features(journal, incompat);
	if (journal_has_checksums(journal) &&
	    (super->s_checksum_type != JOURNAL_CHECKSUM_CRC32C ||
	     journal_be32(super->s_checksum) !=
		     checksum_without(~0u, super, sizeof(*super), &super->s_checksum)))
		return -EINVAL;
	journal->first = journal_be32(super->s_first);
	journal->length = journal_be32(super->s_maxlen);
	if (!journal->first || journal->length > last->logical + last->count ||
	    journal->first >= journal->length || journal->length - journal->first < MIN_BLOCKS ||
	    !journal_block_at(journal, journal->length - 1, &run))
		return -EINVAL;
	if (journal_be32(super->s_start) && (journal_be32(super->s_start) < journal->first ||
					     journal_be32(super->s_start) >= journal->length))
		return -EINVAL;
	journal->empty_on_disk = !journal_be32(super->s_start);
	journal->former_error = type == JOURNAL_SUPER_V2 ? (int)journal_be32(super->s_errno) : 0;
	return 0;
}

int journal_open(struct buffer_cache *cache, struct journal_extent *extents, unsigned extent_count,
		 struct journal **out)
{
	struct journal *journal = kzalloc(sizeof(*journal), 0);
	int result = -ENOMEM;

	if (!journal)
		return result;
	journal->cache = cache;
	journal->device = buffer_cache_device(cache);
	journal->block_size = buffer_cache_block_size(cache);
	journal->extents = extents;
	journal->extent_count = extent_count;
	mutex_init(&journal->commit_lock, RANK_EXT4_COMMIT);
	spin_init(&journal->lock, RANK_PROCESS);
	list_init(&journal->finished);
	wait_queue_init(&journal->waiters);
	journal->super = kmalloc(journal->block_size, 0);
	if (journal->super && extent_count)
		result = journal_read_block(journal, 0, journal->super);
	else if (journal->super)
		result = -EINVAL;
	if (!result)
		result = check_super(journal);
	if (result) {
		kfree(journal->super);
		kfree(journal);
		return result;
	}
	*out = journal;
	return 0;
}

bool journal_is_dirty(const struct journal *journal)
{
	return !journal->empty_on_disk;
}

int journal_former_error(const struct journal *journal)
{
	return journal->former_error;
}

int journal_start(struct journal *journal, bool wide, bool checksums)
{
	struct journal_super *super = journal->super;
	u32 incompat = journal->incompat | JOURNAL_INCOMPAT_REVOKE;

	mutex_guard(&journal->commit_lock);
	if (journal_be32(super->s_header.h_blocktype) == JOURNAL_SUPER_V1)
		return -EOPNOTSUPP;
	if (wide)
		incompat |= JOURNAL_INCOMPAT_64BIT;
	incompat &= ~(JOURNAL_INCOMPAT_ASYNC_COMMIT | JOURNAL_INCOMPAT_CSUM_V2 |
		      JOURNAL_INCOMPAT_CSUM_V3);
	if (checksums)
		incompat |= JOURNAL_INCOMPAT_CSUM_V3;
	super->s_checksum_type = checksums ? JOURNAL_CHECKSUM_CRC32C : 0;
	super->s_feature_incompat = journal_to_be32(incompat);
	super->s_feature_compat =
		journal_to_be32(journal_be32(super->s_feature_compat) & ~JOURNAL_COMPAT_CHECKSUM);
	super->s_errno = (be32){ 0 };
	set_features(journal, incompat);
	spin_lock(&journal->lock);
	journal->next_tid = journal_be32(super->s_sequence);
	journal->committed = journal->next_tid - 1;
	journal->head = journal->first;
	journal->free = journal->length - journal->first - 1;
	journal->max_transaction = journal->free / 4;
	spin_unlock(&journal->lock);
	journal->started = true;
	return journal_set_tail(journal, 0, journal->next_tid);
}

int journal_stop(struct journal *journal)
{
	int result;

	mutex_guard(&journal->commit_lock);
	if (!journal->started)
		return 0;
	journal->started = false;
	result = journal_commit_locked(journal);
	if (!result)
		result = journal_checkpoint_locked(journal, UINT32_MAX);
	if (!result)
		result = journal_set_tail(journal, 0, journal->next_tid);
	return result;
}

/* What an aborted journal still has in memory. */
static void drop_transaction(struct transaction *transaction)
{
	while (!list_empty(&transaction->entries)) {
		struct journal_entry *entry =
			list_first(&transaction->entries, struct journal_entry, node);
		struct buffer *buffer = entry->buffer;

		buffer->running = buffer->checkpoint = nullptr;
		list_remove(&entry->node);
		journal_drop_entry(entry);
	}
	while (!list_empty(&transaction->callbacks)) {
		struct journal_callback *callback =
			list_first(&transaction->callbacks, struct journal_callback, node);

		list_remove(&callback->node);
		callback->run(callback, -EROFS);
	}
	transaction_free(transaction);
}

void journal_close(struct journal *journal)
{
	struct transaction *transaction, *next;

	if (journal->running)
		drop_transaction(journal->running);
	list_for_each_safe (transaction, next, &journal->finished, node)
		drop_transaction(transaction);
	kfree(journal->extents);
	kfree(journal->super);
	kfree(journal);
}

void journal_abort(struct journal *journal, int error)
{
	int none = 0;

	if (__atomic_compare_exchange_n(&journal->error, &none, error, false, __ATOMIC_ACQ_REL,
					__ATOMIC_RELAXED))
		wake_up(&journal->waiters, 0);
}

int journal_error(const struct journal *journal)
{
	return __atomic_load_n(&journal->error, __ATOMIC_ACQUIRE);
}

u32 journal_credits_max(const struct journal *journal)
{
	return journal->max_transaction;
}
