/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The accounts of users: a small hash table; an account lives as long as a task or a queued signal refers to it. */
#include <core/lock.h>
#include <lib/errno.h>
#include <mm/slab.h>
#include <proc/user.h>

#define USER_BUCKETS 32

static struct spinlock users_lock = SPINLOCK_INIT(RANK_SIGNAL);
static struct user_account *users[USER_BUCKETS];
/* The account that exists before memory allocation can fail. */
static struct user_account root_account = { .uid = 0, .refs = 1 };

static struct user_account *user_find_locked(u32 uid) __must_hold(&users_lock)
{
	struct user_account *account = users[uid % USER_BUCKETS];

	while (account && account->uid != uid)
		account = account->next;
	if (account)
		__atomic_fetch_add(&account->refs, 1, __ATOMIC_RELAXED);
	return account;
}

static struct user_account *user_find_or_add(u32 uid, struct user_account *fresh)
{
	irqflags_t flags = spin_lock_irqsave(&users_lock);
	struct user_account *account = user_find_locked(uid);

	if (!account && fresh) {
		*fresh = (struct user_account){ .uid = uid,
						.refs = 1,
						.next = users[uid % USER_BUCKETS] };
		users[uid % USER_BUCKETS] = fresh;
		account = fresh;
	}
	spin_unlock_irqrestore(&users_lock, flags);
	return account;
}

int user_account_get(u32 uid, struct user_account **out)
{
	struct user_account *fresh;

	if (uid == 0) {
		user_account_hold(&root_account);
		*out = &root_account;
		return 0;
	}
	*out = user_find_or_add(uid, nullptr);
	if (*out)
		return 0;
	fresh = kmalloc(sizeof(*fresh), 0);
	if (!fresh)
		return -ENOMEM;
	*out = user_find_or_add(uid, fresh);
	if (*out != fresh)
		kfree(fresh);
	return 0;
}

void user_account_hold(struct user_account *account)
{
	__atomic_fetch_add(&account->refs, 1, __ATOMIC_RELAXED);
}

void user_account_put(struct user_account *account)
{
	irqflags_t flags;
	struct user_account **link;

	if (account->uid == 0) {
		__atomic_fetch_sub(&account->refs, 1, __ATOMIC_RELAXED);
		return;
	}
	flags = spin_lock_irqsave(&users_lock);
	if (__atomic_sub_fetch(&account->refs, 1, __ATOMIC_ACQ_REL) == 0) {
		for (link = &users[account->uid % USER_BUCKETS]; *link != account;)
			link = &(*link)->next;
		*link = account->next;
	} else {
		account = nullptr;
	}
	spin_unlock_irqrestore(&users_lock, flags);
	kfree(account);
}
