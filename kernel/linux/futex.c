/* SPDX-License-Identifier: GPL-2.0-or-later */
/* futex(2), futex_waitv(2), set_robust_list(2). */
#include <ipc/futex.h>
#include <lib/errno.h>
#include <linux/descriptor.h>
#include <mm/slab.h>
#include <mm/ucopy.h>

#include <linux/time.h>
#include <syscall_prototypes.h>

static long wait_until(struct futex_waiter *waiter, u64 deadline_ns);

static long wait_restart(struct task *task)
{
	struct futex_waiter waiter = {
		.word = __force_user(u32 __user *, task->restart_data[0]),
		.value = (u32)task->restart_data[1],
		.bitset = (u32)task->restart_data[2],
		.shared = task->restart_data[3],
	};

	return wait_until(&waiter, task->restart_deadline);
}

/* A wait with a deadline is continued after a signal without a handler, one without may be
 * restarted after a handler. */
static long wait_until(struct futex_waiter *waiter, u64 deadline_ns)
{
	struct task *task = current_task();
	int result = futex_wait(waiter, 1, deadline_ns);

	if (result != -ERESTARTSYS || deadline_ns == NO_DEADLINE)
		return result;
	task->restart = wait_restart;
	task->restart_data[0] = (u64)(uintptr_t)waiter->word;
	task->restart_data[1] = waiter->value;
	task->restart_data[2] = waiter->bitset;
	task->restart_data[3] = waiter->shared;
	task->restart_deadline = deadline_ns;
	return -ERESTART_RESTARTBLOCK;
}

/* A time of CLOCK_REALTIME on CLOCK_MONOTONIC. */
static u64 realtime_deadline(u64 ns)
{
	s64 offset = clock_realtime_offset_ns();

	if (ns == NO_DEADLINE)
		return ns;
	return offset > 0 && ns < (u64)offset ? 0 : ns - (u64)offset;
}

static long do_wait(u32 __user *word, unsigned operation, u32 value,
		    const struct __kernel_timespec __user *timeout, u32 bitset)
{
	struct futex_waiter waiter = { .word = word,
				       .value = value,
				       .bitset = bitset,
				       .shared = !(operation & FUTEX_PRIVATE_FLAG) };
	bool relative = (operation & FUTEX_CMD_MASK) == FUTEX_WAIT;
	u64 deadline;
	int error = timeout_from_user(timeout, &deadline);

	if (error)
		return error;
	if (bitset == 0)
		return -EINVAL;
	if (relative)
		deadline = deadline == 0 ? clock_monotonic_ns() : deadline_after(deadline);
	else if (operation & FUTEX_CLOCK_REALTIME)
		deadline = realtime_deadline(deadline);
	return wait_until(&waiter, deadline);
}

static long do_lock_pi(u32 __user *word, bool shared,
		       const struct __kernel_timespec __user *timeout, bool realtime)
{
	u64 deadline;
	int error = timeout_from_user(timeout, &deadline);

	if (error)
		return error;
	return futex_lock_pi(word, shared, false,
			     realtime ? realtime_deadline(deadline) : deadline);
}

static long do_wait_requeue_pi(const struct futex_pair *pair, unsigned operation, u32 value,
			       const struct __kernel_timespec __user *timeout)
{
	struct futex_waiter waiter = { .word = pair->first,
				       .value = value,
				       .bitset = FUTEX_BITSET_MATCH_ANY,
				       .shared = pair->shared };
	u64 deadline;
	int error = timeout_from_user(timeout, &deadline);

	if (error)
		return error;
	if (operation & FUTEX_CLOCK_REALTIME)
		deadline = realtime_deadline(deadline);
	return futex_wait_requeue_pi(&waiter, pair->second, deadline);
}

long sys_futex(u32 __user *word, unsigned operation, u32 value, void __user *timeout,
	       u32 __user *word2, u32 value3)
{
	const struct __kernel_timespec __user *time = timeout;
	struct futex_pair pair = { .first = word,
				   .second = word2,
				   .shared = !(operation & FUTEX_PRIVATE_FLAG) };
	int count2 = (int)(uintptr_t)timeout; /* of the operations on two words */
	unsigned command = operation & (unsigned)FUTEX_CMD_MASK;

	if ((operation & FUTEX_CLOCK_REALTIME) && command != FUTEX_WAIT_BITSET &&
	    command != FUTEX_WAIT && command != FUTEX_WAIT_REQUEUE_PI && command != FUTEX_LOCK_PI2)
		return -ENOSYS;
	switch (command) {
	case FUTEX_WAIT:
		return do_wait(word, operation, value, time, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAIT_BITSET:
		return do_wait(word, operation, value, time, value3);
	case FUTEX_WAKE:
		return futex_wake(word, pair.shared, (int)value, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAKE_BITSET:
		return value3 ? futex_wake(word, pair.shared, (int)value, value3) : -EINVAL;
	case FUTEX_REQUEUE:
		return futex_requeue(&pair, (int)value, count2, nullptr);
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(&pair, (int)value, count2, &value3);
	case FUTEX_WAKE_OP:
		return futex_wake_op(&pair, (int)value, count2, value3);
	case FUTEX_LOCK_PI:
		return do_lock_pi(word, pair.shared, time, true);
	case FUTEX_LOCK_PI2:
		return do_lock_pi(word, pair.shared, time, operation & FUTEX_CLOCK_REALTIME);
	case FUTEX_TRYLOCK_PI:
		return futex_lock_pi(word, pair.shared, true, NO_DEADLINE);
	case FUTEX_UNLOCK_PI:
		return futex_unlock_pi(word, pair.shared);
	case FUTEX_WAIT_REQUEUE_PI:
		return do_wait_requeue_pi(&pair, operation, value, time);
	case FUTEX_CMP_REQUEUE_PI:
		return value == 1 ? futex_requeue_pi(&pair, count2, value3) : -EINVAL;
	default:
		return -ENOSYS;
	}
}

static int decode_waiter(const struct futex_waitv *from, struct futex_waiter *out)
{
	if ((from->flags & ~(FUTEX_32 | FUTEX_PRIVATE_FLAG)) || !(from->flags & FUTEX_32) ||
	    from->__reserved)
		return -EINVAL;
	*out = (struct futex_waiter){ .word = __force_user(u32 __user *, from->uaddr),
				      .value = (u32)from->val,
				      .bitset = FUTEX_BITSET_MATCH_ANY,
				      .shared = !(from->flags & FUTEX_PRIVATE_FLAG) };
	return 0;
}

static int decode_waiters(const struct futex_waitv __user *from, struct futex_waiter *waiters,
			  unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct futex_waitv one;
		int error;

		if (get_user(one, &from[i]))
			return -EFAULT;
		error = decode_waiter(&one, &waiters[i]);
		if (error)
			return error;
	}
	return 0;
}

long sys_futex_waitv(const struct futex_waitv __user *waiters, unsigned count, unsigned flags,
		     const struct __kernel_timespec __user *timeout, int clock)
{
	struct futex_waiter *decoded;
	u64 deadline = NO_DEADLINE;
	int result;

	if (flags || !waiters || count == 0 || count > FUTEX_WAITERS_MAX)
		return -EINVAL;
	if (timeout) {
		if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
			return -EINVAL;
		result = timeout_from_user(timeout, &deadline);
		if (result)
			return result;
		if (clock == CLOCK_REALTIME)
			deadline = realtime_deadline(deadline);
	}
	decoded = kcalloc(count, sizeof(*decoded), 0);
	if (!decoded)
		return -ENOMEM;
	result = decode_waiters(waiters, decoded, count);
	if (!result)
		result = futex_wait(decoded, count, deadline);
	kfree(decoded);
	return result;
}

long sys_set_robust_list(void __user *head, size_t size)
{
	if (size != sizeof(struct robust_list_head))
		return -EINVAL;
	current_task()->robust_list = head;
	current_task()->robust_list_size = size;
	return 0;
}

long sys_get_robust_list(int pid, unsigned long __user *head, size_t __user *size)
{
	struct task *task = current_task();
	bool allowed;
	unsigned long value;

	if (pid) {
		int error = task_find(pid, &task);

		if (error)
			return error;
	}
	allowed = task->process == current_process() || capable(CAP_SYS_PTRACE);
	value = (unsigned long)task->robust_list;
	if (pid)
		task_put(task);
	if (!allowed)
		return -EPERM;
	if (put_user(sizeof(struct robust_list_head), size))
		return -EFAULT;
	return put_user(value, head);
}
