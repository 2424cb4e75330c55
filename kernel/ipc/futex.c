/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Futexes: a hash table of buckets, each a spinlock and a list of waiters.
 *
 * (F1) A waiter compares the word and queues itself under one hold of its bucket's lock; a waker
 * changes the word first and takes the lock then. So either the comparison fails, or the waker
 * finds the waiter. (F2) User memory is read under the lock without resolving faults; after a fault
 * the lock is dropped, the page brought in, and everything begins anew. (F3) A waker unlinks a
 * waiter and sets `woken` and wakes its thread under the bucket's lock. Once `woken` is set the
 * waiter may return and its memory be gone; the thread itself outlives the waker's lock, which is
 * an RCU reader section. (F4) waiter->bucket and key change only under the locks of both buckets.
 * Two locks are taken in order of address.
 */
#include <core/rcu.h>
#include <core/thread_base.h>
#include <ipc/futex_priv.h>
#include <lib/errno.h>
#include <lib/hash.h>
#include <mm/aspace.h>
#include <mm/memory_object.h>
#include <mm/ucopy.h>
#include <sched/thread.h>

#define BUCKET_BITS 8

static struct futex_bucket buckets[1 << BUCKET_BITS];

struct futex_bucket *futex_bucket_of(const struct futex_key *key)
{
	return &buckets[hash_bits(hash_u64(key->base) + key->offset, BUCKET_BITS)];
}

bool futex_key_equal(const struct futex_key *a, const struct futex_key *b)
{
	return a->base == b->base && a->offset == b->offset;
}

void futex_key_put(struct futex_key *key)
{
	if (key->object)
		memory_object_put(key->object);
}

/* Finds the memory object if the address is in a shared mapping of one. */
static int shared_key(struct aspace *as, vaddr_t address, struct futex_key *key)
{
	const struct vma *vma;
	int error = 0;

	read_lock(&as->lock);
	vma = aspace_find(as, address);
	if (!vma || vma->start > address) {
		error = -EFAULT;
	} else if ((vma->flags & VMA_SHARED) && vma->object) {
		key->object = vma->object;
		memory_object_get(key->object);
		key->base = (u64)(uintptr_t)vma->object;
		key->offset = vma->offset + (address - vma->start);
	}
	read_unlock(&as->lock);
	return error;
}

int futex_key_get(u32 __user *word, bool shared, struct futex_key *key)
{
	struct aspace *as = current_aspace();
	vaddr_t address = (vaddr_t)word;

	if (address % sizeof(*word))
		return -EINVAL;
	if (!user_range_ok(word, sizeof(*word)))
		return -EFAULT;
	*key = (struct futex_key){ .base = (u64)(uintptr_t)as, .offset = address };
	return shared ? shared_key(as, address, key) : 0;
}

/* Loads the word, whose address was checked; -EFAULT if its page is not there. */
int futex_load_nofault(u32 __user *word, u32 *value)
{
	struct thread_base *self = current_base();
	int error;

	self->nofault_count++;
	error = arch_user_load(word, value);
	self->nofault_count--;
	return error;
}

static int atomic_nofault(enum user_atomic op, u32 __user *word, u32 operand, u32 *old)
{
	struct thread_base *self = current_base();
	int error;

	self->nofault_count++;
	error = arch_user_atomic(op, word, operand, old);
	self->nofault_count--;
	return error;
}

/* (F1). 0: queued; -EAGAIN: another value; -EFAULT: page not there. */
static int compare_and_queue(struct futex_waiter *waiter)
{
	struct futex_bucket *bucket = futex_bucket_of(&waiter->key);
	u32 value = 0;
	int error;

	spin_lock(&bucket->lock);
	error = futex_load_nofault(waiter->word, &value);
	if (!error && value != waiter->value)
		error = -EAGAIN;
	if (!error) {
		waiter->bucket = bucket;
		list_add_tail(&bucket->waiters, &waiter->node);
	}
	spin_unlock(&bucket->lock);
	return error;
}

int futex_queue_waiter(struct futex_waiter *waiter)
{
	int error = futex_key_get(waiter->word, waiter->shared, &waiter->key);

	if (error)
		return error;
	waiter->thread = current_thread();
	waiter->woken = false;
	for (;;) {
		u32 value;

		error = compare_and_queue(waiter);
		if (error == -EFAULT && !arch_user_load(waiter->word, &value))
			continue;
		if (error)
			futex_key_put(&waiter->key);
		return error;
	}
}

/* Takes the waiter off its queue; true if it had been woken. */
bool futex_unqueue_waiter(struct futex_waiter *waiter)
{
	struct futex_bucket *bucket;
	bool woken;

	for (;;) {
		bucket = __atomic_load_n(&waiter->bucket, __ATOMIC_ACQUIRE);
		spin_lock(&bucket->lock);
		if (likely(bucket == waiter->bucket))
			break;
		spin_unlock(&bucket->lock);
	}
	woken = waiter->woken;
	if (!woken)
		list_remove(&waiter->node);
	spin_unlock(&bucket->lock);
	futex_key_put(&waiter->key);
	return woken;
}

/* Unqueues all; the index of the first that was woken, or -1. */
static int unqueue_all(struct futex_waiter *waiters, unsigned n)
{
	int first = -1;

	for (unsigned i = n; i-- > 0;)
		if (futex_unqueue_waiter(&waiters[i]))
			first = (int)i;
	return first;
}

static bool any_woken(const struct futex_waiter *waiters, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (__atomic_load_n(&waiters[i].woken, __ATOMIC_ACQUIRE))
			return true;
	return false;
}

int futex_wait(struct futex_waiter *waiters, unsigned n, u64 deadline_ns)
{
	unsigned queued;
	int error = 0, first;

	for (queued = 0; queued < n && !error; queued++)
		error = futex_queue_waiter(&waiters[queued]);
	if (error)
		queued--;
	while (!error) {
		wait_prepare(SLEEP_INTERRUPTIBLE);
		if (any_woken(waiters, n)) {
			wait_cancel();
			break;
		}
		error = wait_sleep(deadline_ns);
	}
	first = unqueue_all(waiters, queued);
	return first >= 0 ? first : error;
}

/* (F3) */
static void wake_waiter_locked(struct futex_waiter *waiter)
{
	struct thread *thread = waiter->thread;

	list_remove(&waiter->node);
	__atomic_store_n(&waiter->woken, true, __ATOMIC_RELEASE);
	thread_wake(thread);
}

static int wake_locked(struct futex_bucket *bucket, const struct futex_key *key, int n, u32 bitset)
{
	struct futex_waiter *waiter, *next;
	int woken = 0;

	list_for_each_safe (waiter, next, &bucket->waiters, node) {
		if (woken >= n)
			break;
		if (!futex_key_equal(&waiter->key, key) || !(waiter->bitset & bitset))
			continue;
		if (waiter->pi)
			return -EINVAL;
		wake_waiter_locked(waiter);
		woken++;
	}
	return woken;
}

int futex_wake(u32 __user *word, bool shared, int n, u32 bitset)
{
	struct futex_bucket *bucket;
	struct futex_key key;
	int woken = futex_key_get(word, shared, &key);

	if (woken)
		return woken;
	bucket = futex_bucket_of(&key);
	spin_lock(&bucket->lock);
	woken = wake_locked(bucket, &key, n, bitset);
	spin_unlock(&bucket->lock);
	futex_key_put(&key);
	return woken;
}

/* Two words of one operation: keys and buckets. */
struct double_key {
	struct futex_key first, second;
	struct futex_bucket *first_bucket, *second_bucket;
};

static int double_key_get(const struct futex_pair *words, struct double_key *keys)
{
	int error = futex_key_get(words->first, words->shared, &keys->first);

	if (error)
		return error;
	error = futex_key_get(words->second, words->shared, &keys->second);
	if (error) {
		futex_key_put(&keys->first);
		return error;
	}
	keys->first_bucket = futex_bucket_of(&keys->first);
	keys->second_bucket = futex_bucket_of(&keys->second);
	return 0;
}

static void double_key_put(struct double_key *keys)
{
	futex_key_put(&keys->first);
	futex_key_put(&keys->second);
}

/* (F4). Which locks they are is only known at run time. */
static void double_lock(struct double_key *keys) __no_lock_analysis
{
	struct futex_bucket *a = MIN(keys->first_bucket, keys->second_bucket);
	struct futex_bucket *b = MAX(keys->first_bucket, keys->second_bucket);

	spin_lock(&a->lock);
	if (a != b)
		spin_lock_nested(&b->lock);
}

static void double_unlock(struct double_key *keys) __no_lock_analysis
{
	spin_unlock(&keys->first_bucket->lock);
	if (keys->first_bucket != keys->second_bucket)
		spin_unlock(&keys->second_bucket->lock);
}

static int requeue_locked(struct double_key *keys, int n_wake, int n_requeue)
{
	struct futex_waiter *waiter, *next;
	int done = 0;

	list_for_each_safe (waiter, next, &keys->first_bucket->waiters, node) {
		if (done - n_wake >= n_requeue)
			break;
		if (!futex_key_equal(&waiter->key, &keys->first))
			continue;
		if (waiter->pi)
			return -EINVAL;
		if (done++ < n_wake) {
			wake_waiter_locked(waiter);
			continue;
		}
		if (futex_key_equal(&keys->first, &keys->second))
			continue;
		list_remove(&waiter->node);
		list_add_tail(&keys->second_bucket->waiters, &waiter->node);
		/* The waiter's reference goes over to the second object; the first keeps the
		 * caller's. */
		if (waiter->key.object)
			memory_object_put(waiter->key.object);
		waiter->key = keys->second;
		if (waiter->key.object)
			memory_object_get(waiter->key.object);
		__atomic_store_n(&waiter->bucket, keys->second_bucket, __ATOMIC_RELEASE);
	}
	return done;
}

int futex_requeue(const struct futex_pair *words, int n_wake, int n_requeue, const u32 *expected)
{
	struct double_key keys;
	u32 value = 0;
	int result;

	if (n_wake < 0 || n_requeue < 0)
		return -EINVAL;
	result = double_key_get(words, &keys);
	if (result)
		return result;
	do {
		double_lock(&keys);
		result = expected ? futex_load_nofault(words->first, &value) : 0;
		if (!result && expected && value != *expected)
			result = -EAGAIN;
		if (!result)
			result = requeue_locked(&keys, n_wake, n_requeue);
		double_unlock(&keys);
	} while (result == -EFAULT && !arch_user_load(words->first, &value));
	double_key_put(&keys);
	return result;
}

struct wake_operation {
	enum user_atomic atomic;
	u32 operand;
	u32 comparison;
	s32 compared_with;
};

/* Taken apart as futex(2), FUTEX_WAKE_OP: 4 bits operation, 4 bits comparison, two signed 12-bit
 * numbers. */
static int wake_operation_decode(u32 encoded, struct wake_operation *out)
{
	static const enum user_atomic atomics[] = {
		[FUTEX_OP_SET] = USER_ATOMIC_SET, [FUTEX_OP_ADD] = USER_ATOMIC_ADD,
		[FUTEX_OP_OR] = USER_ATOMIC_OR,	  [FUTEX_OP_ANDN] = USER_ATOMIC_ANDN,
		[FUTEX_OP_XOR] = USER_ATOMIC_XOR,
	};
	u32 operation = encoded >> 28 & 7;

	out->operand = (u32)((s32)(encoded << 8) >> 20);
	if (encoded >> 28 & FUTEX_OP_OPARG_SHIFT)
		out->operand = 1u << (out->operand & 31);
	out->comparison = encoded >> 24 & 15;
	out->compared_with = (s32)(encoded << 20) >> 20;
	if (operation >= ARRAY_SIZE(atomics) || out->comparison > FUTEX_OP_CMP_GE)
		return -ENOSYS;
	out->atomic = atomics[operation];
	return 0;
}

static bool wake_operation_compare(const struct wake_operation *op, s32 old)
{
	switch (op->comparison) {
	case FUTEX_OP_CMP_EQ:
		return old == op->compared_with;
	case FUTEX_OP_CMP_NE:
		return old != op->compared_with;
	case FUTEX_OP_CMP_LT:
		return old < op->compared_with;
	case FUTEX_OP_CMP_LE:
		return old <= op->compared_with;
	case FUTEX_OP_CMP_GT:
		return old > op->compared_with;
	default:
		return old >= op->compared_with;
	}
}

int futex_wake_op(const struct futex_pair *words, int n_first, int n_second, u32 operation)
{
	struct wake_operation op;
	struct double_key keys;
	u32 old = 0;
	int result = wake_operation_decode(operation, &op);

	if (result)
		return result;
	result = double_key_get(words, &keys);
	if (result)
		return result;
	do {
		double_lock(&keys);
		result = atomic_nofault(op.atomic, words->second, op.operand, &old);
		if (!result) {
			result = wake_locked(keys.first_bucket, &keys.first, n_first,
					     FUTEX_BITSET_MATCH_ANY);
			if (wake_operation_compare(&op, (s32)old))
				result += wake_locked(keys.second_bucket, &keys.second, n_second,
						      FUTEX_BITSET_MATCH_ANY);
		}
		double_unlock(&keys);
		/* Adding nothing brings the page in, writable. */
	} while (result == -EFAULT && !arch_user_atomic(USER_ATOMIC_ADD, words->second, 0, &old));
	double_key_put(&keys);
	return result;
}

void futex_wake_address(u32 __user *word)
{
	(void)futex_wake(word, true, 1, FUTEX_BITSET_MATCH_ANY);
}

void futex_init(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(buckets); i++) {
		spin_init(&buckets[i].lock, RANK_FUTEX);
		list_init(&buckets[i].waiters);
	}
}
