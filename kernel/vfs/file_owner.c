/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owners of open files and the signals that they get; see vfs/file_owner.h. */
#include <lib/errno.h>
#include <mm/slab.h>
#include <proc/pid.h>
#include <proc/pid_namespace.h>
#include <proc/silo.h>
#include <proc/task.h>
#include <vfs/dnotify.h>
#include <vfs/file_owner.h>
#include <vfs/lease.h>

#include <asm/fcntl.h>
#include <linux/eventpoll.h>
#include <linux/poll.h>

void file_owner_hold(struct file_owner *owner)
{
	__atomic_fetch_add(&owner->refs, 1, __ATOMIC_RELAXED);
}

void file_owner_put(struct file_owner *owner)
{
	if (__atomic_fetch_sub(&owner->refs, 1, __ATOMIC_ACQ_REL) == 1)
		kfree(owner);
}

/* kill(2)'s rule for the one who called F_SETOWN. */
static bool may_signal(const struct file_owner *owner, struct process *process)
{
	struct task *leader = process_leader_get(process);
	bool allowed;

	if (!leader)
		return false;
	const struct credentials *theirs = task_credentials_get(leader);

	allowed = !owner->euid || owner->euid == theirs->suid || owner->euid == theirs->uid ||
		  owner->uid == theirs->suid || owner->uid == theirs->uid;
	credentials_put(theirs);
	task_put(leader);
	return allowed;
}

static void send_to_group(const struct file_owner *owner, const siginfo_t *info)
{
	struct process *process;

	for (int next = 1; (process = process_next(next));
	     next = process->pid + 1, process_put(process)) {
		if (process_group_id(process) == -owner->pid && may_signal(owner, process))
			(void)signal_send_process(process, info);
	}
}

static void send(const struct file_owner *owner, const siginfo_t *info)
{
	struct process *process;
	struct task *task;

	if (owner->pid < 0) {
		send_to_group(owner, info);
	} else if (owner->type == F_OWNER_TID) {
		if (task_find_global(owner->pid, &task))
			return;
		if (may_signal(owner, task->process))
			(void)signal_send_task(task, info);
		task_put(task);
	} else if (owner->pid && !process_find_global(owner->pid, &process)) {
		if (may_signal(owner, process))
			(void)signal_send_process(process, info);
		process_put(process);
	}
}

void file_owner_signal(const struct file_owner *owner, int fallback, int fd, int code, long band)
{
	siginfo_t info;

	siginfo_kernel(&info, owner->signal ? owner->signal : fallback);
	if (owner->signal) {
		info.si_code = code;
		info.si_band = band;
		info.si_fd = fd;
	}
	send(owner, &info);
}

static const struct {
	u32 events;
	int code;
	long band;
} reasons[] = {
	{ EPOLLERR, POLL_ERR, POLLERR },
	{ EPOLLHUP, POLL_HUP, POLLHUP | POLLERR },
	{ EPOLLPRI, POLL_PRI, POLLPRI | POLLRDBAND },
	{ EPOLLIN, POLL_IN, POLLIN | POLLRDNORM },
	{ EPOLLOUT, POLL_OUT, POLLOUT | POLLWRNORM | POLLWRBAND },
};

static void async_work(struct work *work)
{
	struct file_owner *owner = container_of(work, struct file_owner, work);
	u32 events = __atomic_exchange_n(&owner->events, 0, __ATOMIC_ACQ_REL);

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (events & reasons[i].events) {
			file_owner_signal(owner, SIGIO, owner->fd, reasons[i].code,
					  reasons[i].band);
			break;
		}
	}
	file_owner_put(owner);
}

static void async_expire(struct timer *timer)
{
	struct file_owner *owner = container_of(timer, struct file_owner, timer);

	__atomic_fetch_add(&owner->refs, 1, __ATOMIC_RELAXED);
	if (!work_queue(&owner->work))
		__atomic_fetch_sub(&owner->refs, 1, __ATOMIC_RELAXED);
}

static bool async_wake(struct wait_entry *entry, u32 events)
{
	struct file_owner *owner = container_of(entry, struct file_owner, entry);

	__atomic_fetch_or(&owner->events, events ? events : EPOLLIN, __ATOMIC_ACQ_REL);
	timer_set(&owner->timer, 0);
	return false;
}

int file_owner_get(struct file *file, struct file_owner **out)
{
	struct file_owner *owner = rcu_dereference(file->owner), *expected = nullptr;

	if (!owner) {
		owner = kzalloc(sizeof(*owner), 0);
		if (!owner)
			return -ENOMEM;
		owner->refs = 1;
		wait_entry_init(&owner->entry);
		owner->entry.wake = async_wake;
		timer_init(&owner->timer, async_expire);
		work_init(&owner->work, async_work);
		if (!__atomic_compare_exchange_n(&file->owner, &expected, owner, false,
						 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
			kfree(owner);
			owner = expected;
		}
	}
	*out = owner;
	return 0;
}

/* Is anything called so? What a member of a silo does not see is not. */
static bool is_named(int number)
{
	bool found = false;

	rcu_read_lock();
	for (unsigned kind = PID_TASK; kind <= PID_SESSION && !found; kind++)
		found = pid_lookup((enum pid_kind)kind, number);
	rcu_read_unlock();
	return found;
}

int file_owner_set(struct file_owner *owner, u32 type, int pid)
{
	const struct credentials *mine = current_credentials();
	int wanted = pid < 0 ? -pid : pid, number = pid_from_user(wanted);

	if (wanted && !is_named(number)) {
		silo_denied(CAIRN_SILO_DENIED_PROCESS, (u64)wanted);
		return -ESRCH;
	}
	number = pid < 0 ? -number : number;
	owner->uid = mine->uid;
	owner->euid = mine->euid;
	owner->type = type;
	WRITE_ONCE(owner->pid, number);
	return 0;
}

int file_owner_number(const struct file *file)
{
	int pid = file->owner ? file->owner->pid : 0;

	return pid < 0 ? -pid_to_user(-pid) : pid ? pid_to_user(pid) : 0;
}

int file_owner_set_async(struct file *file, int fd, bool on)
{
	struct file_owner *owner;
	int err;

	if (!on && !file->owner)
		return 0;
	err = file_owner_get(file, &owner);
	if (err)
		return err;
	owner->fd = fd;
	if (on) {
		wait_queue_add(file->object.waiters, &owner->entry);
	} else {
		wait_queue_remove(file->object.waiters, &owner->entry);
		timer_cancel_wait(&owner->timer);
	}
	return 0;
}

static void file_gone(struct file *file)
{
	lease_file_gone(file);
	dnotify_file_gone(file);
	if (file->object.waiters)
		wait_queue_remove(file->object.waiters, &file->owner->entry);
	timer_cancel_wait(&file->owner->timer);
	file_owner_put(file->owner);
}

void file_owner_init(void)
{
	file_owner_hook = file_gone;
}
