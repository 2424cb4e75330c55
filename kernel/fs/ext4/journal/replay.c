/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recovery: what the log has is carried out, in three passes over it. The first finds the last transaction that is whole,
 * the second collects which blocks are revoked until when, the third writes blocks home, through the buffer cache so that
 * what was read before stays true.
 *
 * (P1) A transaction counts only if its commit block is there with its number and every checksum fits. The log ends
 *      with the first one that does not: with asynchronous commits and torn writes that is what a power cut leaves.
 * (P2) A block is not written if a transaction with an equal or higher number revoked it.
 */
#include <core/log.h>
#include <core/panic.h>
#include <fs/ext4/journal/journal_priv.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>

enum pass { PASS_SCAN, PASS_REVOKE, PASS_REPLAY };

struct replay {
	struct journal *journal;
	enum pass pass;
	u32 tid;		   /* expected next */
	u32 logical;		   /* next block of the log */
	u32 left;		   /* blocks that the log may still have */
	u32 end;		   /* the first transaction that does not count */
	char *control;		   /* block_size: descriptors and the like */
	char *data;		   /* block_size */
	struct radix_tree revoked; /* block -> struct revoked */
	u32 replayed, dirty;
	bool whole; /* of the transaction being scanned */
};

struct revoked {
	u32 tid;
};

static int read_next(struct replay *r, char *to)
{
	int result = journal_read_block(r->journal, r->logical, to);

	if (!result) {
		r->logical = journal_next_block(r->journal, r->logical, 1);
		r->left--;
	}
	return result;
}

/* --- revoked blocks --- */

static int revoke(struct replay *r, u64 block)
{
	struct revoked *found = radix_load(&r->revoked, block);
	int result;

	if (found) {
		found->tid = r->tid;
		return 0;
	}
	found = kmalloc(sizeof(*found), 0);
	if (!found)
		return -ENOMEM;
	found->tid = r->tid;
	result = radix_store(&r->revoked, block, found, nullptr);
	if (result)
		kfree(found);
	return result;
}

static bool is_revoked(struct replay *r, u64 block)
{
	struct revoked *found = radix_load(&r->revoked, block);

	return found && tid_reached(found->tid, r->tid);
}

static bool tail_fits(struct replay *r)
{
	const struct journal *journal = r->journal;
	struct journal_tail tail;

	if (!journal_has_checksums(journal))
		return true;
	memcpy(&tail, r->control + journal->block_size - sizeof(tail), sizeof(tail));
	return journal_be32(tail.t_checksum) == journal_tail_checksum(journal, r->control);
}

static int revoke_block(struct replay *r)
{
	const struct journal_revoke_header *header = (void *)r->control;
	u32 size = r->journal->incompat & JOURNAL_INCOMPAT_64BIT ? 8 : 4;
	u32 end = journal_be32(header->r_count);
	int result = 0;

	if (!tail_fits(r))
		r->whole = false;
	if (r->pass != PASS_REVOKE || !r->whole)
		return 0;
	if (end > r->journal->block_size)
		return -EINVAL;
	for (u32 at = sizeof(*header); at + size <= end && !result; at += size) {
		be64 wide;
		be32 narrow;

		memcpy(&wide, r->control + at, size == 8 ? sizeof(wide) : 0);
		memcpy(&narrow, r->control + at, sizeof(narrow));
		result = revoke(r, size == 8 ? journal_be64(wide) : journal_be32(narrow));
	}
	return result;
}

/* --- descriptors --- */

struct tag {
	u64 block;
	u32 flags, checksum;
};

static struct tag read_tag(const struct journal *journal, const char *at)
{
	struct journal_tag3 tag3 = {};
	struct journal_tag tag = {};

	if (journal->incompat & JOURNAL_INCOMPAT_CSUM_V3) {
		memcpy(&tag3, at, sizeof(tag3));
		return (struct tag){ journal_be32(tag3.t_blocknr) |
					     (journal->incompat & JOURNAL_INCOMPAT_64BIT
						      ? (u64)journal_be32(tag3.t_blocknr_high) << 32
						      : 0),
				     journal_be32(tag3.t_flags), journal_be32(tag3.t_checksum) };
	}
	memcpy(&tag, at, MIN(sizeof(tag), (size_t)journal->tag_size));
	return (struct tag){ journal_be32(tag.t_blocknr) |
				     (journal->incompat & JOURNAL_INCOMPAT_64BIT
					      ? (u64)journal_be32(tag.t_blocknr_high) << 32
					      : 0),
			     journal_be16(tag.t_flags), journal_be16(tag.t_checksum) };
}

/* The logged block as it was, in r->data. */
static bool block_fits(struct replay *r, const struct tag *tag)
{
	const struct journal *journal = r->journal;
	be32 magic = journal_to_be32(JOURNAL_MAGIC);
	u32 sum;

	if (tag->flags & JOURNAL_TAG_ESCAPE)
		memcpy(r->data, &magic, sizeof(magic));
	if (!journal_has_checksums(journal))
		return true;
	sum = journal_tag_checksum(journal, r->data, r->tid);
	return tag->checksum == (journal->incompat & JOURNAL_INCOMPAT_CSUM_V3 ? sum : (u16)sum);
}

#define DIRTY_MAX 256u

static int put_home(struct replay *r, u64 block)
{
	struct buffer *buffer;
	int result = buffer_get(r->journal->cache, block, &buffer);

	if (result)
		return result;
	memcpy(buffer->data, r->data, r->journal->block_size);
	WRITE_ONCE(buffer->verified, 0);
	buffer_mark_dirty(buffer);
	buffer_put(buffer);
	r->replayed++;
	if (++r->dirty < DIRTY_MAX)
		return 0;
	r->dirty = 0;
	return buffer_cache_sync(r->journal->cache);
}

static int logged_block(struct replay *r, const struct tag *tag)
{
	int result;

	if (!r->left) {
		r->whole = false;
		return 0;
	}
	if (r->pass == PASS_REVOKE ||
	    (r->pass == PASS_SCAN && !journal_has_checksums(r->journal))) {
		r->logical = journal_next_block(r->journal, r->logical, 1);
		r->left--;
		return 0;
	}
	result = read_next(r, r->data);
	if (result)
		return result;
	if (!block_fits(r, tag))
		r->whole = false;
	else if (r->pass == PASS_REPLAY && !is_revoked(r, tag->block))
		result = put_home(r, tag->block);
	return result;
}

static int descriptor_block(struct replay *r)
{
	const struct journal *journal = r->journal;
	u32 end = journal->block_size -
		  (journal_has_checksums(journal) ? (u32)sizeof(struct journal_tail) : 0);
	u32 at = sizeof(struct journal_header);
	int result = 0;

	if (!tail_fits(r)) {
		r->whole = false;
		return 0;
	}
	while (at + journal->tag_size <= end && !result) {
		struct tag tag = read_tag(journal, r->control + at);

		result = logged_block(r, &tag);
		at += journal->tag_size + (tag.flags & JOURNAL_TAG_SAME_UUID ? 0 : 16);
		if (tag.flags & JOURNAL_TAG_LAST)
			break;
	}
	return result;
}

static bool commit_fits(struct replay *r)
{
	const struct journal_commit_header *commit = (void *)r->control;

	return !journal_has_checksums(r->journal) ||
	       journal_be32(commit->h_chksum[0]) == journal_commit_checksum(r->journal, r->control);
}

/* --- passes --- */

/* One block of control and what belongs to it. 1: the log ends here. */
static int step(struct replay *r)
{
	const struct journal_header *header = (void *)r->control;
	int result;

	if (!r->left || (r->pass != PASS_SCAN && r->tid == r->end))
		return 1;
	result = read_next(r, r->control);
	if (result)
		return result;
	if (journal_be32(header->h_magic) != JOURNAL_MAGIC ||
	    journal_be32(header->h_sequence) != r->tid)
		return 1;
	switch (journal_be32(header->h_blocktype)) {
	case JOURNAL_DESCRIPTOR:
		result = descriptor_block(r);
		break;
	case JOURNAL_REVOKE:
		result = revoke_block(r);
		break;
	case JOURNAL_COMMIT:
		if (!commit_fits(r) || !r->whole)
			return 1;
		r->tid++;
		break;
	default:
		return 1;
	}
	return result ? result : !r->whole;
}

static int run_pass(struct replay *r, enum pass pass)
{
	struct journal *journal = r->journal;
	int result;

	r->pass = pass;
	r->tid = journal_be32(journal->super->s_sequence);
	r->logical = journal_be32(journal->super->s_start);
	r->left = journal->length - journal->first;
	r->whole = true;
	do
		result = step(r);
	while (!result);
	if (result < 0)
		return result;
	if (pass == PASS_SCAN)
		r->end = r->tid;
	return r->tid == r->end ? 0 : -EIO;
}

static void free_revoked(void *revoked)
{
	kfree(revoked);
}

int journal_replay(struct journal *journal)
{
	struct replay r = { .journal = journal };
	int result = -ENOMEM;

	if (journal->empty_on_disk)
		return 0;
	r.control = kmalloc(journal->block_size, 0);
	r.data = kmalloc(journal->block_size, 0);
	if (r.control && r.data)
		result = run_pass(&r, PASS_SCAN);
	if (!result)
		result = run_pass(&r, PASS_REVOKE);
	if (!result)
		result = run_pass(&r, PASS_REPLAY);
	if (!result)
		result = buffer_cache_sync(journal->cache);
	if (!result)
		result = block_flush(journal->device);
	if (!result) {
		mutex_guard(&journal->commit_lock);
		/* As jbd2: a number that no block of the old log has. */
		result = journal_set_tail(journal, 0, r.end + 1);
	}
	if (!result)
		log_info("ext4: %s: recovered %u blocks of the journal",
			 block_device_name(journal->device), r.replayed);
	radix_destroy(&r.revoked, free_revoked);
	kfree(r.control);
	kfree(r.data);
	return result;
}
