/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Robust futexes (set_robust_list(2), Linux's robust-futex-ABI): a list in user memory of the locks
 * that a thread holds. When the thread ends, the kernel marks each of them. The list is as hostile
 * as any user memory: every link is read once, and its length is bounded.
 */
#include <ipc/futex.h>
#include <lib/errno.h>
#include <mm/ucopy.h>
#include <proc/pid_namespace.h>
#include <proc/task.h>

/* Links carry a mark for priority inheritance in bit 0. */
#define LINK_PI 1ul

struct link {
	unsigned long entry;
	bool pi;
};

/* Reads a link and takes its mark off. */
static int read_link(unsigned long from, struct link *link)
{
	unsigned long value;

	if (get_user(value, __force_user(const unsigned long __user *, from)))
		return -EFAULT;
	*link = (struct link){ value & ~LINK_PI, value & LINK_PI };
	return 0;
}

/* The owner of the word died. -1 if the word cannot be reached: the list is not to be trusted
 * further. */
static int mark_dead(const struct task *task, const struct link *link, long offset, bool pending)
{
	unsigned long address = link->entry + (unsigned long)offset;
	u32 __user *word = __force_user(u32 __user *, address);
	u32 value, old;

	if (address % sizeof(u32) || !user_range_ok(word, sizeof(u32)) ||
	    arch_user_load(word, &value))
		return -1;
	for (;;) {
		/* Unlocked, but died before it could wake somebody: the waiter must not sleep on.
		 */
		if (pending && !link->pi && value == 0) {
			futex_wake_address(word);
			return 0;
		}
		if ((value & FUTEX_TID_MASK) != (u32)pid_to_user(task->tid))
			return 0;
		if (arch_user_cmpxchg(word, value, (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED,
				      &old))
			return -1;
		if (old == value)
			break;
		value = old;
	}
	/* Waiters of the other kind are known to futex_exit_pi. */
	if ((value & FUTEX_WAITERS) && !link->pi)
		futex_wake_address(word);
	return 0;
}

void futex_exit_robust(struct task *task)
{
	unsigned long head = (unsigned long)task->robust_list;
	struct link link, pending;
	long offset;

	task->robust_list = nullptr;
	if (!head || read_link(head + offsetof(struct robust_list_head, list.next), &link) ||
	    read_link(head + offsetof(struct robust_list_head, list_op_pending), &pending) ||
	    get_user(offset, __force_user(const long __user *,
					  head + offsetof(struct robust_list_head, futex_offset))))
		return;
	for (unsigned n = 0; n < ROBUST_LIST_LIMIT && link.entry != head; n++) {
		/* The next link is read first: a woken waiter may free this entry. */
		struct link this = link;
		int error = read_link(this.entry + offsetof(struct robust_list, next), &link);

		if (this.entry != pending.entry && mark_dead(task, &this, offset, false))
			return;
		if (error)
			return;
	}
	if (pending.entry)
		(void)mark_dead(task, &pending, offset, true);
}
