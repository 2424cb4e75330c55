/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Handles, and the blocks that they enter into the running transaction. */
#include <core/log.h>
#include <core/panic.h>
#include <core/time.h>
#include <fs/ext4/journal/journal_priv.h>
#include <lib/errno.h>
#include <mm/slab.h>

struct transaction *transaction_create(void)
{
	struct transaction *transaction = kzalloc(sizeof(*transaction), 0);

	if (!transaction)
		return nullptr;
	list_init(&transaction->entries);
	list_init(&transaction->callbacks);
	list_init(&transaction->node);
	radix_init(&transaction->revoked);
	return transaction;
}

void transaction_free(struct transaction *transaction)
{
	radix_destroy(&transaction->revoked, nullptr);
	kfree(transaction);
}

void journal_drop_entry(struct journal_entry *entry)
{
	buffer_put(entry->buffer);
	slab_free(journal_entry_cache, entry);
}

enum begin_result { BEGIN_OK, BEGIN_WAIT, BEGIN_COMMIT, BEGIN_ROOM };

/* Joins the running transaction, which `fresh` becomes if there is none. */
static enum begin_result try_begin(struct journal *journal, u32 credits, struct transaction **fresh,
				   struct journal_handle *handle)
{
	struct transaction *t;
	u32 size;

	spin_guard(&journal->lock);
	if (!journal->running) {
		journal->running = *fresh;
		*fresh = nullptr;
		journal->running->tid = journal->next_tid++;
		journal->running->start_ns = clock_monotonic_ns();
	}
	t = journal->running;
	if (t->locked)
		return BEGIN_WAIT;
	size = t->count + t->outstanding + credits;
	if (size > journal->max_transaction && (t->count || t->outstanding))
		return BEGIN_COMMIT;
	if (journal_space(journal, size) > journal->free)
		return BEGIN_ROOM;
	t->handles++;
	t->outstanding += credits;
	handle->transaction = t;
	handle->tid = t->tid;
	return BEGIN_OK;
}

static bool running_is_open(struct journal *journal)
{
	spin_guard(&journal->lock);
	return !journal->running || !journal->running->locked;
}

/* Room in the log: what is committed goes home, then what is not. */
static int make_room(struct journal *journal, u32 wanted)
{
	int result;

	mutex_guard(&journal->commit_lock);
	result = journal_checkpoint_locked(journal, wanted);
	if (!result && READ_ONCE(journal->free) < wanted)
		result = journal_commit_locked(journal);
	if (!result && READ_ONCE(journal->free) < wanted)
		result = journal_checkpoint_locked(journal, wanted);
	return result;
}

static int begin(struct journal *journal, u32 credits, struct transaction **fresh,
		 struct journal_handle *handle)
{
	for (;;) {
		int result = 0;

		if (journal_error(journal))
			return -EROFS;
		if (!*fresh)
			*fresh = transaction_create();
		if (!*fresh)
			return -ENOMEM;
		switch (try_begin(journal, credits, fresh, handle)) {
		case BEGIN_OK:
			return 0;
		case BEGIN_WAIT:
			wait_event(&journal->waiters, running_is_open(journal));
			break;
		case BEGIN_COMMIT:
			result = journal_commit(journal, journal_current_tid(journal));
			break;
		case BEGIN_ROOM:
			result = make_room(journal,
					   2 * journal_space(journal, journal->max_transaction));
			break;
		}
		if (result)
			return result;
	}
}

int journal_begin(struct journal *journal, u32 credits, struct journal_handle *handle)
{
	struct transaction *fresh = nullptr;
	int result;

	*handle = (struct journal_handle){ .journal = journal, .credits = credits };
	if (!journal)
		return 0;
	if (credits > journal->max_transaction)
		return -ENOSPC;
	result = begin(journal, credits, &fresh, handle);
	if (fresh)
		transaction_free(fresh);
	return result;
}

void journal_end(struct journal_handle *handle)
{
	struct journal *journal = handle->journal;
	struct transaction *t = handle->transaction;
	bool last;

	if (!journal)
		return;
	spin_lock(&journal->lock);
	t->outstanding -= handle->credits;
	last = !--t->handles && t->locked;
	spin_unlock(&journal->lock);
	handle->transaction = nullptr;
	if (last)
		wake_up(&journal->waiters, 0);
}

bool journal_extend(struct journal_handle *handle, u32 credits)
{
	struct journal *journal = handle->journal;
	struct transaction *t = handle->transaction;
	u32 size;

	if (!journal)
		return true;
	spin_guard(&journal->lock);
	size = t->count + t->outstanding + credits;
	if (t->locked || size > journal->max_transaction ||
	    journal_space(journal, size) > journal->free)
		return false;
	t->outstanding += credits;
	handle->credits += credits;
	return true;
}

/* --- blocks --- */

/* Takes one of the handle's credits. A handle that changes more than it said is a mistake of ours: the margin of
 * journal_space() bears it. */
static void use_credit(struct journal_handle *handle)
{
	handle->transaction->count++;
	if (handle->credits) {
		handle->credits--;
		handle->transaction->outstanding--;
		return;
	}
#ifdef CAIRN_HOST_TEST
	panic("a journal handle has no credits left");
#else
	log_warning("ext4: a journal handle has no credits left");
#endif
}

/* Enters the buffer with `entry`. False: it is on its way home and must not change yet. */
static bool enter(struct journal_handle *handle, struct buffer *buffer,
		  struct journal_entry **entry)
{
	struct journal *journal = handle->journal;

	spin_guard(&journal->lock);
	if (buffer->running)
		return true;
	if (buffer_test(buffer, BUFFER_WRITING))
		return false;
	(*entry)->buffer = buffer;
	(*entry)->transaction = handle->transaction;
	list_add_tail(&handle->transaction->entries, &(*entry)->node);
	buffer->running = *entry;
	*entry = nullptr;
	use_credit(handle);
	return true;
}

int journal_change(struct journal_handle *handle, struct buffer *buffer)
{
	struct journal_entry *entry;

	if (!handle->journal)
		return 0;
	if (READ_ONCE(buffer->running))
		return 0; /* it cannot leave the transaction while this handle is open */
	if (journal_error(handle->journal))
		return -EROFS;
	entry = slab_alloc(journal_entry_cache, 0);
	if (!entry)
		return -ENOMEM;
	buffer_hold(buffer);
	while (!enter(handle, buffer, &entry))
		wait_event(&handle->journal->waiters, !buffer_test(buffer, BUFFER_WRITING));
	if (entry) {
		slab_free(journal_entry_cache, entry);
		buffer_put(buffer);
	}
	return 0;
}

void journal_changed(struct journal_handle *handle, struct buffer *buffer)
{
	if (!handle->journal)
		buffer_mark_dirty(buffer);
	else
		DASSERT(READ_ONCE(buffer->running));
}

int journal_revoke(struct journal_handle *handle, u64 block)
{
	struct journal *journal = handle->journal;
	struct journal_entry *entry = nullptr;
	struct buffer *buffer;
	int result;

	if (!journal)
		return 0;
	buffer = buffer_find(journal->cache, block);
	spin_lock(&journal->lock);
	result = radix_store(&handle->transaction->revoked, block, handle->transaction, nullptr);
	if (!result && buffer && buffer->running) {
		entry = buffer->running;
		buffer->running = nullptr;
		list_remove(&entry->node);
		entry->transaction->count--;
	}
	spin_unlock(&journal->lock);
	if (entry)
		journal_drop_entry(entry);
	buffer_put(buffer);
	return result;
}

bool journal_after_commit(struct journal_handle *handle, struct journal_callback *callback)
{
	if (!handle->journal)
		return false;
	spin_guard(&handle->journal->lock);
	list_add_tail(&handle->transaction->callbacks, &callback->node);
	return true;
}

u32 journal_current_tid(struct journal *journal)
{
	spin_guard(&journal->lock);
	if (journal->running)
		return journal->running->tid;
	return journal->next_tid - 1;
}

bool journal_is_committed(const struct journal *journal, u32 tid)
{
	return tid_reached(READ_ONCE(journal->committed), tid);
}
