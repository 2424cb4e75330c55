/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way home: blocks of durable transactions are written to their places, and the tail of the log moves on. */
#include <fs/ext4/journal/journal_priv.h>
#include <lib/errno.h>
#include <mm/slab.h>

#define CHECKPOINT_BATCH 64u

/* Takes blocks of a transaction that nobody is changing (J2), as BUFFER_WRITING, with a reference each. */
static unsigned take(struct journal *journal, struct transaction *t, struct buffer **buffers)
{
	struct journal_entry *entry;
	unsigned n = 0;

	spin_guard(&journal->lock);
	list_for_each (entry, &t->entries, node) {
		struct buffer *buffer = entry->buffer;

		if (buffer->running || buffer->committing)
			continue;
		buffer_set(buffer, BUFFER_WRITING);
		buffer_hold(buffer);
		buffers[n++] = buffer;
		if (n == CHECKPOINT_BATCH)
			break;
	}
	return n;
}

/* The writes have ended: those that are at home leave their transaction. */
static void release(struct journal *journal, struct buffer **buffers, unsigned n, bool written)
{
	for (unsigned i = 0; i < n; i++) {
		struct buffer *buffer = buffers[i];
		struct journal_entry *entry = nullptr;

		spin_lock(&journal->lock);
		if (written && buffer->checkpoint) {
			entry = buffer->checkpoint;
			buffer->checkpoint = nullptr;
			list_remove(&entry->node);
		}
		buffer_clear(buffer, BUFFER_WRITING);
		spin_unlock(&journal->lock);
		if (entry)
			journal_drop_entry(entry);
		buffer_put(buffer);
	}
	wake_up(&journal->waiters, 0);
}

/* Brings home what it can of a transaction. */
static int write_home(struct journal *journal, struct transaction *t)
{
	struct buffer *buffers[CHECKPOINT_BATCH];
	unsigned n;

	while ((n = take(journal, t, buffers))) {
		int result = buffer_write_all(buffers, n, 0);

		release(journal, buffers, n, !result);
		if (result)
			return result;
	}
	return 0;
}

/* The oldest transaction if nothing of it is left to bring home, taken off the list. */
static struct transaction *pop_empty(struct journal *journal)
{
	struct transaction *t = nullptr;

	spin_guard(&journal->lock);
	if (!list_empty(&journal->finished)) {
		t = list_first(&journal->finished, struct transaction, node);
		if (list_empty(&t->entries))
			list_remove(&t->node);
		else
			t = nullptr;
	}
	return t;
}

/* Where recovery would have to begin now. */
static int move_tail(struct journal *journal) __must_hold(&journal->commit_lock)
{
	u32 start, tid;

	spin_lock(&journal->lock);
	if (list_empty(&journal->finished)) {
		start = journal->head;
		tid = journal->running ? journal->running->tid : journal->next_tid;
	} else {
		struct transaction *t = list_first(&journal->finished, struct transaction, node);

		start = t->log_start;
		tid = t->tid;
	}
	spin_unlock(&journal->lock);
	return journal_set_tail(journal, start, tid);
}

/* Frees the log space of transactions that are at home. (J3): durable there first. */
static int reclaim_log(struct journal *journal) __must_hold(&journal->commit_lock)
{
	struct transaction *t;
	u32 blocks = 0;
	int result;

	while ((t = pop_empty(journal))) {
		blocks += t->log_blocks;
		transaction_free(t);
	}
	if (!blocks)
		return 0;
	result = block_flush(journal->device);
	if (!result)
		result = move_tail(journal);
	if (result)
		return result;
	spin_lock(&journal->lock);
	journal->free += blocks;
	spin_unlock(&journal->lock);
	return 0;
}

static struct transaction *next_finished(struct journal *journal, struct transaction *after)
{
	struct list_head *node;

	spin_guard(&journal->lock);
	node = after ? after->node.next : journal->finished.next;
	return node == &journal->finished ? nullptr : list_entry(node, struct transaction, node);
}

int journal_checkpoint_locked(struct journal *journal, u32 wanted)
{
	struct transaction *t = nullptr;
	u32 coming = READ_ONCE(journal->free);
	int result = journal_error(journal) ? -EROFS : 0;

	while (!result && coming < wanted && (t = next_finished(journal, t))) {
		result = write_home(journal, t);
		coming += t->log_blocks;
	}
	if (!result)
		result = reclaim_log(journal);
	if (result)
		journal_abort(journal, result);
	return result;
}

int journal_checkpoint_some(struct journal *journal)
{
	u32 total = journal->length - journal->first;

	if (READ_ONCE(journal->free) > total / 2)
		return 0;
	mutex_guard(&journal->commit_lock);
	return journal_checkpoint_locked(journal, total / 4 * 3);
}
