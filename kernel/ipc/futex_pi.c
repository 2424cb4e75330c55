/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Futexes with priority inheritance (futex(2), "Priority-inheritance futexes").
 *
 * The word holds the owner's thread id; without contention user space changes it alone. A thread that must wait sets
 * FUTEX_WAITERS and makes a *state*: who owns the word, and who waits for it, the most urgent first. Then only the
 * kernel changes the word: an unlock hands it to the first waiter.
 *
 * (P1) pi_lock guards all states, waiters and the fields futex_* of tasks; words are changed under it, without resolving
 * faults. (P2) A state exists while somebody waits, and while a heir of a dead owner still has to write the word, which
 * it alone may be able to reach. (P3) A task runs with the parameters of the most urgent thread that waits for a word it
 * owns, if those are better than its own; along the chain of owners that wait in their turn. (P4) A waiter is taken off
 * its state's list by whoever ends its wait; `granted` is set and read under pi_lock, and by the waiter without it before
 * it looks again.
 */
#include <core/panic.h>
#include <ipc/futex_priv.h>
#include <lib/errno.h>
#include <mm/memory_object.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <proc/pid_namespace.h>
#include <proc/task.h>

#define HASH_SIZE 64
#define CHAIN_MAX 1024 /* as Linux's max_lock_depth */

struct futex_pi {
	struct futex_pi *next;	     /* in hash */
	struct futex_pi *next_owned; /* of owner->futex_owned */
	struct futex_key key;	     /* holds a reference */
	struct task *owner;
	struct list_head waiters;
};

/* One attempt to lock: what had to be prepared outside of pi_lock. */
struct attempt {
	u32 __user *word;
	const struct futex_key *key;
	struct futex_pi *spare; /* becomes the state if there is none */
	struct task *owner;	/* holds a reference; null: not looked up */
	int owner_tid;
	bool owner_gone; /* nobody had that number: the word decides whether that matters */
};

#define ACQUIRED 1
#define QUEUED 0
#define LOOK_UP_OWNER (-ENOENT) /* attempt.owner_tid */

static struct spinlock pi_lock = SPINLOCK_INIT(RANK_FUTEX_PI);
static struct futex_pi *hash[HASH_SIZE] __guarded_by(&pi_lock);

static unsigned slot_of(const struct futex_key *key)
{
	return (unsigned)(key->base / 64 + key->offset / sizeof(u32)) % HASH_SIZE;
}

static struct futex_pi *find_locked(const struct futex_key *key) __must_hold(&pi_lock)
{
	struct futex_pi *state = hash[slot_of(key)];

	while (state && !futex_key_equal(&state->key, key))
		state = state->next;
	return state;
}

static int cmpxchg_nofault(u32 __user *word, u32 expected, u32 new, u32 *old)
{
	struct thread_base *self = current_base();
	int error;

	self->nofault_count++;
	error = arch_user_cmpxchg(word, expected, new, old);
	self->nofault_count--;
	return error;
}

/* Brings the page in, writable. */
static int fault_in(u32 __user *word)
{
	u32 old;

	return arch_user_atomic(USER_ATOMIC_ADD, word, 0, &old);
}

/* --- who owns what, who waits for whom --- */

static void disown_locked(struct futex_pi *state) __must_hold(&pi_lock)
{
	struct futex_pi **link = &state->owner->futex_owned;

	while (*link != state)
		link = &(*link)->next_owned;
	*link = state->next_owned;
	state->owner = nullptr;
}

static void own_locked(struct futex_pi *state, struct task *owner) __must_hold(&pi_lock)
{
	state->owner = owner;
	state->next_owned = owner->futex_owned;
	owner->futex_owned = state;
}

static void destroy_locked(struct futex_pi *state) __must_hold(&pi_lock)
{
	struct futex_pi **link = &hash[slot_of(&state->key)];

	while (*link != state)
		link = &(*link)->next;
	*link = state->next;
	disown_locked(state);
	futex_key_put(&state->key);
	kfree(state);
}

static struct futex_pi_waiter *first_waiter(const struct futex_pi *state)
{
	return list_empty(&state->waiters)
		       ? nullptr
		       : list_first(&state->waiters, struct futex_pi_waiter, node);
}

/* By urgency; equals in the order of their coming. */
static void insert_locked(struct futex_pi *state, struct futex_pi_waiter *w) __must_hold(&pi_lock)
{
	struct futex_pi_waiter *other;

	list_for_each (other, &state->waiters, node)
		if (sched_params_compare(&w->task->thread.effective,
					 &other->task->thread.effective) > 0)
			break;
	list_add_tail(&other->node, &w->node);
}

/* (P3): lends `task` what its waiters have, and goes on with the one that it waits for. */
static void inherit_locked(struct task *task) __must_hold(&pi_lock)
{
	for (unsigned depth = 0; task && depth < CHAIN_MAX; depth++) {
		const struct sched_params *best = nullptr;
		struct futex_pi_waiter *w;

		for (struct futex_pi *s = task->futex_owned; s; s = s->next_owned) {
			w = first_waiter(s);
			if (w &&
			    (!best || sched_params_compare(&w->task->thread.effective, best) > 0))
				best = &w->task->thread.effective;
		}
		thread_set_boost(&task->thread, best);
		w = task->futex_waiting;
		if (!w)
			return;
		list_remove(&w->node);
		insert_locked(w->state, w);
		task = w->state->owner;
	}
}

static bool would_deadlock_locked(struct task *owner, const struct task *waiter)
	__must_hold(&pi_lock)
{
	for (unsigned depth = 0; owner && depth < CHAIN_MAX; depth++) {
		if (owner == waiter)
			return true;
		owner = owner->futex_waiting ? owner->futex_waiting->state->owner : nullptr;
	}
	return owner;
}

static int enqueue_locked(struct futex_pi *state, struct futex_pi_waiter *w) __must_hold(&pi_lock)
{
	if (would_deadlock_locked(state->owner, w->task))
		return -EDEADLK;
	w->state = state;
	w->task->futex_waiting = w;
	insert_locked(state, w);
	inherit_locked(state->owner);
	return QUEUED;
}

/* The waiter gives up. */
static void dequeue_locked(struct futex_pi_waiter *w) __must_hold(&pi_lock)
{
	struct futex_pi *state = w->state;
	struct task *owner = state->owner;

	list_remove(&w->node);
	w->task->futex_waiting = nullptr;
	if (list_empty(&state->waiters))
		destroy_locked(state);
	inherit_locked(owner);
}

/* Ends the first wait: the word is or will be the waiter's. After an owner's death the state stays (P2). */
static void grant_locked(struct futex_pi *state, bool owner_died) __must_hold(&pi_lock)
{
	struct futex_pi_waiter *w = first_waiter(state);
	struct task *old = state->owner, *next = w->task;

	list_remove(&w->node);
	next->futex_waiting = nullptr;
	w->owner_died = owner_died;
	disown_locked(state);
	own_locked(state, next);
	if (list_empty(&state->waiters) && !owner_died)
		destroy_locked(state);
	inherit_locked(old);
	inherit_locked(next);
	/* The waiter's memory may be gone once it sees this; the thread stays for this section. */
	__atomic_store_n(&w->granted, true, __ATOMIC_RELEASE);
	(void)thread_wake(&next->thread);
}

/* --- locking --- */

static int new_state_locked(struct attempt *a, struct futex_pi_waiter *w) __must_hold(&pi_lock)
{
	struct futex_pi *state = a->spare;
	struct futex_pi **head = &hash[slot_of(a->key)];

	/* Its robust list was looked through before, so the word would show it. */
	if (a->owner->futex_exited)
		return -ESRCH;
	if (a->owner == w->task)
		return -EDEADLK;
	a->spare = nullptr;
	state->key = *a->key;
	if (state->key.object)
		memory_object_get(state->key.object);
	list_init(&state->waiters);
	own_locked(state, a->owner);
	state->next = *head;
	*head = state;
	return enqueue_locked(state, w);
}

/* ACQUIRED, QUEUED, LOOK_UP_OWNER, -EAGAIN (`try`, or the word has changed), -EDEADLK, -EFAULT, -ESRCH. */
static int acquire_once_locked(struct attempt *a, struct futex_pi_waiter *w, bool try)
	__must_hold(&pi_lock)
{
	struct futex_pi *state = find_locked(a->key);
	u32 value = 0, old = 0, new;
	int owner, error = futex_load_nofault(a->word, &value);

	if (error)
		return error;
	owner = (int)(value & FUTEX_TID_MASK);
	if (owner == pid_to_user(w->task->tid))
		return -EDEADLK;
	if (state || (owner && try))
		return try ? -EWOULDBLOCK : enqueue_locked(state, w);
	new = owner ? value | FUTEX_WAITERS
		    : (value & FUTEX_OWNER_DIED) | (u32)pid_to_user(w->task->tid);
	if (owner && (!a->owner || a->owner_tid != owner)) {
		if (a->owner_gone && a->owner_tid == owner)
			return -ESRCH;
		a->owner_tid = owner;
		return LOOK_UP_OWNER;
	}
	error = cmpxchg_nofault(a->word, value, new, &old);
	if (error || old != value)
		return error ? error : -ERESTART;
	return owner ? new_state_locked(a, w) : ACQUIRED;
}

static int acquire_locked(struct attempt *a, struct futex_pi_waiter *w, bool try)
	__must_hold(&pi_lock)
{
	int r;

	do
		r = acquire_once_locked(a, w, try);
	while (r == -ERESTART);
	return r;
}

/* What acquire_locked asked for. 0, or why it is in vain. */
static int attempt_prepare(struct attempt *a, int why)
{
	if (!a->spare)
		a->spare = kmalloc(sizeof(*a->spare), ALLOC_USER);
	if (!a->spare)
		return -ENOMEM;
	if (why == -EFAULT)
		return fault_in(a->word);
	if (why != LOOK_UP_OWNER)
		return why;
	if (a->owner)
		task_put(a->owner);
	a->owner = nullptr;
	/* It may have unlocked and gone since the word was read. */
	a->owner_gone = task_find(a->owner_tid, &a->owner) != 0;
	return 0;
}

static void attempt_end(struct attempt *a)
{
	if (a->owner)
		task_put(a->owner);
	kfree(a->spare);
}

/* The heir of a dead owner writes its name. (P2) */
static int inherit_word(struct futex_pi_waiter *w, u32 __user *word)
{
	u32 value = 0, old = 0;
	int error = arch_user_load(word, &value);

	while (!error) {
		error = arch_user_cmpxchg(
			word, value,
			(u32)pid_to_user(w->task->tid) | FUTEX_WAITERS | FUTEX_OWNER_DIED, &old);
		if (!error && old == value)
			break;
		value = old;
	}
	spin_lock(&pi_lock);
	if (list_empty(&w->state->waiters))
		destroy_locked(w->state);
	else if (error)
		grant_locked(w->state, true);
	spin_unlock(&pi_lock);
	return error;
}

static bool end_wait(struct futex_pi_waiter *w)
{
	bool granted;

	spin_lock(&pi_lock);
	granted = w->granted;
	if (!granted)
		dequeue_locked(w);
	spin_unlock(&pi_lock);
	return granted;
}

static int sleep_until_granted(struct futex_pi_waiter *w, u64 deadline_ns)
{
	int error = 0;

	while (!error) {
		wait_prepare(SLEEP_INTERRUPTIBLE);
		if (__atomic_load_n(&w->granted, __ATOMIC_ACQUIRE)) {
			wait_cancel();
			break;
		}
		error = wait_sleep(deadline_ns);
	}
	return error;
}

int futex_lock_pi(u32 __user *word, bool shared, bool try, u64 deadline_ns)
{
	struct futex_pi_waiter w = { .task = current_task() };
	struct futex_key key;
	int r = futex_key_get(word, shared, &key);
	struct attempt a = { .word = word, .key = &key };

	if (r)
		return r;
	r = attempt_prepare(&a, QUEUED);
	while (!r) {
		spin_lock(&pi_lock);
		r = acquire_locked(&a, &w, try);
		spin_unlock(&pi_lock);
		if (r == QUEUED || r == ACQUIRED)
			break;
		r = attempt_prepare(&a, r);
	}
	if (r == QUEUED) {
		r = sleep_until_granted(&w, deadline_ns);
		if (end_wait(&w))
			r = w.owner_died ? inherit_word(&w, word) : 0;
	}
	attempt_end(&a);
	futex_key_put(&key);
	if (r == -ERESTARTSYS)
		return -ERESTARTNOINTR;
	return r == ACQUIRED ? 0 : r;
}

/* 0, -EFAULT, -EPERM, -EINVAL; -ERESTART if the word has changed. */
static int release_locked(u32 __user *word, const struct futex_key *key) __must_hold(&pi_lock)
{
	struct futex_pi *state = find_locked(key);
	struct futex_pi_waiter *next = state ? first_waiter(state) : nullptr;
	u32 value = 0, new = 0, old = 0;
	int error = futex_load_nofault(word, &value);

	if (error)
		return error;
	if ((int)(value & FUTEX_TID_MASK) != pid_to_user(current_task()->tid))
		return -EPERM;
	if (state && state->owner != current_task())
		return -EINVAL;
	if (next)
		new = (u32)pid_to_user(next->task->tid) | FUTEX_WAITERS;
	error = cmpxchg_nofault(word, value, new, &old);
	if (error || old != value)
		return error ? error : -ERESTART;
	if (next)
		grant_locked(state, false);
	return 0;
}

int futex_unlock_pi(u32 __user *word, bool shared)
{
	struct futex_key key;
	int error = futex_key_get(word, shared, &key);

	if (error)
		return error;
	do {
		spin_lock(&pi_lock);
		error = release_locked(word, &key);
		spin_unlock(&pi_lock);
	} while (error == -ERESTART || (error == -EFAULT && !fault_in(word)));
	futex_key_put(&key);
	return error;
}

/* --- requeueing from a condition variable's word --- */

int futex_wait_requeue_pi(struct futex_waiter *waiter, u32 __user *target, u64 deadline_ns)
{
	struct futex_pi_waiter w = { .task = current_task() };
	int error;

	if (waiter->word == target)
		return -EINVAL;
	error = futex_key_get(target, waiter->shared, &w.target);
	if (error)
		return error;
	waiter->pi = &w;
	error = futex_queue_waiter(waiter);
	if (error) {
		futex_key_put(&w.target);
		return error;
	}
	error = sleep_until_granted(&w, deadline_ns);
	if (!futex_unqueue_waiter(waiter)) { /* was not requeued */
		error = error == -ERESTARTSYS ? -ERESTARTNOINTR : error;
	} else if (end_wait(&w)) {
		error = w.owner_died ? inherit_word(&w, target) : 0;
	} else if (error == -ERESTARTSYS) {
		error = -EWOULDBLOCK; /* the wake-up is used up: the caller locks by itself */
	}
	futex_key_put(&w.target);
	return error;
}

struct requeue {
	struct futex_bucket *bucket;
	const struct futex_key *from;
	struct attempt attempt;
	int left, done;
};

static int requeue_one_locked(struct requeue *r, struct futex_waiter *waiter) __must_hold(&pi_lock)
{
	struct futex_pi_waiter *w = waiter->pi;
	struct task *task;
	int result;

	if (!w || !futex_key_equal(&w->target, r->attempt.key))
		return -EINVAL;
	task = w->task;
	result = acquire_locked(&r->attempt, w, false);
	if (result != ACQUIRED && result != QUEUED)
		return result;
	list_remove(&waiter->node);
	__atomic_store_n(&waiter->woken, true, __ATOMIC_RELEASE);
	r->done++;
	r->left--;
	if (result == ACQUIRED) {
		__atomic_store_n(&w->granted, true, __ATOMIC_RELEASE);
		(void)thread_wake(&task->thread);
	}
	return 0;
}

static int requeue_all(struct requeue *r, u32 __user *word, u32 expected)
{
	struct futex_waiter *waiter, *next;
	u32 value = 0;
	int error;

	spin_lock(&r->bucket->lock);
	error = futex_load_nofault(word, &value);
	if (!error && value != expected)
		error = -EAGAIN;
	spin_lock(&pi_lock);
	list_for_each_safe (waiter, next, &r->bucket->waiters, node) {
		if (error || !r->left)
			break;
		if (futex_key_equal(&waiter->key, r->from))
			error = requeue_one_locked(r, waiter);
	}
	spin_unlock(&pi_lock);
	spin_unlock(&r->bucket->lock);
	return error;
}

int futex_requeue_pi(const struct futex_pair *words, int n_requeue, u32 expected)
{
	struct futex_key from, to;
	struct requeue r = { .from = &from,
			     .attempt = { .word = words->second, .key = &to },
			     .left = n_requeue == INT32_MAX ? n_requeue : n_requeue + 1 };
	u32 value;
	int error;

	if (n_requeue < 0 || words->first == words->second)
		return -EINVAL;
	error = futex_key_get(words->first, words->shared, &from);
	if (error)
		return error;
	error = futex_key_get(words->second, words->shared, &to);
	if (!error) {
		r.bucket = futex_bucket_of(&from);
		error = attempt_prepare(&r.attempt, QUEUED);
		while (!error) {
			error = requeue_all(&r, words->first, expected);
			if (!error || error == -EAGAIN)
				break;
			if (error == -EFAULT && arch_user_load(words->first, &value))
				break;
			error = attempt_prepare(&r.attempt, error);
		}
		attempt_end(&r.attempt);
		futex_key_put(&to);
	}
	futex_key_put(&from);
	return r.done ? r.done : error;
}

/* --- tasks --- */

void futex_exit_pi(struct task *task)
{
	spin_lock(&pi_lock);
	task->futex_exited = true;
	while (task->futex_owned) {
		struct futex_pi *state = task->futex_owned;

		if (first_waiter(state))
			grant_locked(state, true);
		else
			destroy_locked(state);
	}
	spin_unlock(&pi_lock);
}

void futex_priority_changed(struct task *task)
{
	spin_lock(&pi_lock);
	inherit_locked(task);
	spin_unlock(&pi_lock);
}
