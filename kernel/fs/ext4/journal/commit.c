/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commits. A transaction in the log is: blocks that tell which blocks are revoked; descriptor blocks, each followed by
 * the blocks whose places it tells; the commit block.
 *
 * All of it is made in pages of its own while no handle is open; a lack of memory is found before anything has changed,
 * and leaves the transaction running.
 */
#include <core/panic.h>
#include <core/time.h>
#include <fs/ext4/journal/journal_priv.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>

/* The blocks that will be written to the log, in its order; one page each. */
struct staging {
	struct page **pages;
	u32 count, used;
};

static void staging_free(struct staging *staging)
{
	for (u32 i = 0; i < staging->count; i++)
		page_put(staging->pages[i]);
	kvfree(staging->pages);
	*staging = (struct staging){};
}

static int staging_alloc(struct staging *staging, u32 count)
{
	*staging = (struct staging){ .pages = kvmalloc(count * sizeof(struct page *), 0) };
	if (!staging->pages)
		return -ENOMEM;
	for (; staging->count < count; staging->count++) {
		struct page *page = page_alloc(0, ALLOC_ZERO);

		if (!page) {
			staging_free(staging);
			return -ENOMEM;
		}
		staging->pages[staging->count] = page;
	}
	return 0;
}

static void *staging_next(struct staging *staging)
{
	ASSERT(staging->used < staging->count);
	return page_address(staging->pages[staging->used++]);
}

/* --- making the blocks --- */

static void make_header(struct journal_header *header, u32 type, u32 tid)
{
	header->h_magic = journal_to_be32(JOURNAL_MAGIC);
	header->h_blocktype = journal_to_be32(type);
	header->h_sequence = journal_to_be32(tid);
}

static void seal(struct journal *journal, void *block)
{
	struct journal_tail *tail = (void *)((char *)block + journal->block_size - sizeof(*tail));

	if (journal_has_checksums(journal))
		tail->t_checksum = journal_to_be32(journal_tail_checksum(journal, block));
}

static u32 revoke_record_size(const struct journal *journal)
{
	return journal->incompat & JOURNAL_INCOMPAT_64BIT ? 8 : 4;
}

static u32 revokes_per_block(const struct journal *journal)
{
	return (journal->block_size - (u32)sizeof(struct journal_revoke_header) -
		(u32)sizeof(struct journal_tail)) /
	       revoke_record_size(journal);
}

static void make_revokes(struct journal *journal, struct transaction *t, struct staging *staging)
{
	u32 size = revoke_record_size(journal), left = (u32)t->revoked.entries;
	u64 block = 0;

	while (left) {
		struct journal_revoke_header *header = staging_next(staging);
		char *at = (char *)(header + 1);
		u32 n = MIN(left, revokes_per_block(journal));

		make_header(&header->r_header, JOURNAL_REVOKE, t->tid);
		for (u32 i = 0; i < n; i++, at += size) {
			be64 wide;
			be32 narrow;

			(void)radix_next(&t->revoked, &block, UINT64_MAX);
			wide = journal_to_be64(block);
			narrow = journal_to_be32((u32)block);
			memcpy(at, size == 8 ? (void *)&wide : (void *)&narrow, size);
			block++;
		}
		header->r_count = journal_to_be32((u32)(at - (char *)header));
		seal(journal, header);
		left -= n;
	}
}

static void make_tag(struct journal *journal, char *at, u64 block, u32 flags, u32 checksum)
{
	struct journal_tag3 tag3;
	struct journal_tag tag;

	if (journal->incompat & JOURNAL_INCOMPAT_CSUM_V3) {
		tag3 = (struct journal_tag3){ journal_to_be32((u32)block), journal_to_be32(flags),
					      journal_to_be32((u32)(block >> 32)),
					      journal_to_be32(checksum) };
		memcpy(at, &tag3, sizeof(tag3));
		return;
	}
	tag = (struct journal_tag){ journal_to_be32((u32)block), journal_to_be16((u16)checksum),
				    journal_to_be16((u16)flags),
				    journal_to_be32((u32)(block >> 32)) };
	memcpy(at, &tag, MIN((u32)sizeof(tag), journal->tag_size));
}

/* Copies one block for the log and describes it at `at`; returns the flags of its tag. */
static u32 stage_block(struct journal *journal, struct transaction *t,
		       const struct journal_entry *entry, char *at, u32 flags,
		       struct staging *staging)
{
	char *copy = staging_next(staging);
	u32 checksum = 0;
	be32 magic;

	memcpy(copy, entry->buffer->data, journal->block_size);
	if (journal_has_checksums(journal))
		checksum = journal_tag_checksum(journal, copy, t->tid);
	memcpy(&magic, copy, sizeof(magic));
	if (journal_be32(magic) == JOURNAL_MAGIC) {
		memset(copy, 0, sizeof(magic));
		flags |= JOURNAL_TAG_ESCAPE;
	}
	make_tag(journal, at, entry->buffer->block, flags, checksum);
	return flags;
}

static void make_blocks(struct journal *journal, struct transaction *t, struct staging *staging)
{
	struct list_head *node = t->entries.next;
	u32 left = t->count;

	while (left) {
		struct journal_header *header = staging_next(staging);
		char *at = (char *)(header + 1);
		u32 n = MIN(left, journal_tags_per_block(journal));

		make_header(header, JOURNAL_DESCRIPTOR, t->tid);
		for (u32 i = 0; i < n; i++, node = node->next) {
			const struct journal_entry *entry =
				list_entry(node, struct journal_entry, node);
			u32 flags = (i ? JOURNAL_TAG_SAME_UUID : 0) |
				    (i == n - 1 ? JOURNAL_TAG_LAST : 0);

			(void)stage_block(journal, t, entry, at, flags, staging);
			at += journal->tag_size;
			if (!i) {
				memcpy(at, journal->super->s_uuid, 16);
				at += 16;
			}
		}
		seal(journal, header);
		left -= n;
	}
}

static void make_commit(struct journal *journal, struct transaction *t, struct staging *staging)
{
	struct journal_commit_header *commit = staging_next(staging);
	u64 now = clock_realtime_ns();

	make_header(&commit->h_header, JOURNAL_COMMIT, t->tid);
	commit->h_commit_sec = journal_to_be64(now / NSEC_PER_SEC);
	commit->h_commit_nsec = journal_to_be32((u32)(now % NSEC_PER_SEC));
	if (journal_has_checksums(journal))
		commit->h_chksum[0] = journal_to_be32(journal_commit_checksum(journal, commit));
}

/* --- stopping the world --- */

static bool transaction_is_quiet(struct journal *journal, struct transaction *t)
{
	spin_guard(&journal->lock);
	return !t->handles;
}

/* Locks the running transaction and waits for its handles. Null: there is nothing to commit. */
static struct transaction *lock_running(struct journal *journal)
{
	struct transaction *t;

	spin_lock(&journal->lock);
	t = journal->running;
	if (t && (t->handles || t->count || t->revoked.entries || !list_empty(&t->callbacks)))
		t->locked = true;
	else
		t = nullptr;
	spin_unlock(&journal->lock);
	if (t)
		wait_event(&journal->waiters, transaction_is_quiet(journal, t));
	return t;
}

static void unlock_running(struct journal *journal, struct transaction *t)
{
	spin_lock(&journal->lock);
	t->locked = false;
	spin_unlock(&journal->lock);
	wake_up(&journal->waiters, 0);
}

/* The transaction leaves its place to a new one. */
static void detach_running(struct journal *journal, struct transaction *t)
{
	struct journal_entry *entry;

	spin_lock(&journal->lock);
	list_for_each (entry, &t->entries, node) {
		entry->buffer->committing = entry;
		WRITE_ONCE(entry->buffer->running, nullptr);
	}
	journal->committing = t;
	journal->running = nullptr;
	journal->free -= MIN(journal->free, t->log_blocks);
	spin_unlock(&journal->lock);
	wake_up(&journal->waiters, 0);
}

/* --- writing --- */

struct log_request {
	struct block_request request;
	struct block_segment segments[];
};

/* A request for the staged blocks [from, from + count), which go to consecutive blocks of the device. */
static struct log_request *make_request(struct journal *journal, struct staging *staging, u32 from,
					u32 count, u64 block)
{
	struct log_request *r = kmalloc(sizeof(*r) + count * sizeof(struct block_segment), 0);

	if (!r)
		return nullptr;
	r->request = (struct block_request){
		.device = journal->device,
		.operation = BLOCK_WRITE,
		.flags = BLOCK_SYNC | BLOCK_META,
		.sector = block * (journal->block_size >> SECTOR_SHIFT),
		.sectors = count * (u64)(journal->block_size >> SECTOR_SHIFT),
		.segments = r->segments,
		.segment_count = count,
	};
	list_init(&r->request.node);
	for (u32 i = 0; i < count; i++)
		r->segments[i] =
			(struct block_segment){ staging->pages[from + i], 0, journal->block_size };
	return r;
}

#define LOG_REQUESTS 32u
#define LOG_REQUEST_BLOCKS 64u

/* Writes the staged blocks [from, to) to the log from `logical` on. */
static int write_staged(struct journal *journal, struct staging *staging, u32 from, u32 to,
			u32 logical, u32 flags)
{
	struct log_request *requests[LOG_REQUESTS];
	int result = 0;

	while (from < to && !result) {
		struct block_batch batch;
		u32 n = 0;

		block_batch_start(&batch);
		while (from < to && n < LOG_REQUESTS) {
			u32 run, count;
			u64 block = journal_block_at(journal, logical, &run);

			count = MIN(to - from, LOG_REQUEST_BLOCKS);
			run = MIN(run, journal->length - logical);
			count = MIN(count, run);
			requests[n] = make_request(journal, staging, from, count, block);
			if (!requests[n]) {
				result = -ENOMEM;
				break;
			}
			requests[n]->request.flags |= flags;
			block_batch_submit(&batch, &requests[n++]->request);
			from += count;
			logical = journal_next_block(journal, logical, count);
		}
		result = block_batch_finish(&batch) ?: result;
		while (n)
			kfree(requests[--n]);
	}
	return result;
}

static int write_transaction(struct journal *journal, struct transaction *t,
			     struct staging *staging) __must_hold(&journal->commit_lock)
{
	u32 last = staging->used - 1;
	int result = 0;

	if (journal->empty_on_disk)
		result = journal_set_tail(journal, t->log_start, t->tid);
	if (!result)
		result = write_staged(journal, staging, 0, last, t->log_start, 0);
	if (!result) /* (J4) */
		result = write_staged(journal, staging, last, last + 1,
				      journal_next_block(journal, t->log_start, last),
				      BLOCK_PREFLUSH | BLOCK_FUA);
	return result;
}

/* --- afterwards --- */

/* An older copy of a block does not have to go home any more. */
static struct journal_entry *supersede(struct buffer *buffer)
{
	struct journal_entry *older = buffer->checkpoint;

	if (older)
		list_remove(&older->node);
	buffer->checkpoint = nullptr;
	return older;
}

/* (J5): what was revoked must not go home. */
static void drop_revoked(struct journal *journal, struct transaction *t)
{
	for (u64 block = 0; radix_next(&t->revoked, &block, UINT64_MAX); block++) {
		struct buffer *buffer = buffer_find(journal->cache, block);
		struct journal_entry *older = nullptr;

		if (!buffer)
			continue;
		spin_lock(&journal->lock);
		older = supersede(buffer);
		spin_unlock(&journal->lock);
		if (older)
			journal_drop_entry(older);
		buffer_put(buffer);
	}
}

static void run_callbacks(struct transaction *t, int status)
{
	while (!list_empty(&t->callbacks)) {
		struct journal_callback *callback =
			list_first(&t->callbacks, struct journal_callback, node);

		list_remove(&callback->node);
		callback->run(callback, status);
	}
}

/* The transaction is durable: its blocks wait for their way home. */
static void finish(struct journal *journal, struct transaction *t, int status)
{
	struct list_head dropped = LIST_INIT(dropped);
	struct journal_entry *entry, *next;

	if (!status)
		drop_revoked(journal, t);
	spin_lock(&journal->lock);
	list_for_each (entry, &t->entries, node) {
		struct journal_entry *older = supersede(entry->buffer);

		if (older)
			list_add_tail(&dropped, &older->node);
		entry->buffer->committing = nullptr;
		entry->buffer->checkpoint = entry;
	}
	list_add_tail(&journal->finished, &t->node);
	journal->committing = nullptr;
	if (!status)
		WRITE_ONCE(journal->committed, t->tid);
	spin_unlock(&journal->lock);
	list_for_each_safe (entry, next, &dropped, node) {
		list_remove(&entry->node);
		journal_drop_entry(entry);
	}
	run_callbacks(t, status);
	radix_destroy(&t->revoked, nullptr);
	wake_up(&journal->waiters, 0);
}

int journal_commit_locked(struct journal *journal)
{
	struct transaction *t;
	struct staging staging;
	u32 blocks;
	int result;

	if (journal_error(journal))
		return -EROFS;
	t = lock_running(journal);
	if (!t)
		return 0;
	blocks = t->count + DIV_ROUND_UP(t->count, journal_tags_per_block(journal)) + 1 +
		 (u32)DIV_ROUND_UP(t->revoked.entries, revokes_per_block(journal));
	result = staging_alloc(&staging, blocks);
	if (result) {
		unlock_running(journal, t);
		return result;
	}
	make_revokes(journal, t, &staging);
	make_blocks(journal, t, &staging);
	make_commit(journal, t, &staging);
	t->log_start = journal->head;
	t->log_blocks = blocks;
	journal->head = journal_next_block(journal, journal->head, blocks);
	detach_running(journal, t);
	result = write_transaction(journal, t, &staging);
	staging_free(&staging);
	if (result)
		journal_abort(journal, result);
	finish(journal, t, result);
	return result;
}

int journal_commit(struct journal *journal, u32 tid)
{
	mutex_guard(&journal->commit_lock);
	if (journal_is_committed(journal, tid))
		return 0;
	return journal_commit_locked(journal);
}

int journal_commit_old(struct journal *journal, u64 age_ns)
{
	bool due;

	mutex_guard(&journal->commit_lock);
	spin_lock(&journal->lock);
	due = journal->running && clock_monotonic_ns() - journal->running->start_ns >= age_ns;
	spin_unlock(&journal->lock);
	return due ? journal_commit_locked(journal) : 0;
}
