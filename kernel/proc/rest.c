/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tasks at rest. The theory is in rest.h. */
#include <arch/frame.h>
#include <arch/ptrace.h>
#include <lib/errno.h>
#include <mm/aspace.h>
#include <proc/proc_priv.h>
#include <proc/rest.h>

#include <asm/unistd.h>
#include <linux/eventpoll.h>

/* --- the task's side --- */

/* One that is killed while somebody works on it waits for that, and is woken by nothing else. */
static bool must_rest(const struct task *task)
{
	return __atomic_load_n(&task->rest.frozen, __ATOMIC_SEQ_CST) ||
	       (__atomic_load_n(&task->rest.held, __ATOMIC_SEQ_CST) && !signal_fatal_pending());
}

void task_rest_check(void)
{
	struct task *task = current_task();
	struct task_rest *rest = &task->rest;

	while (must_rest(task)) {
		__atomic_store_n(&rest->at_rest, true, __ATOMIC_SEQ_CST);
		object_notify(&task->object, EPOLLPRI);
		wait_prepare(signal_fatal_pending() ? SLEEP_UNINTERRUPTIBLE : SLEEP_KILLABLE);
		if (must_rest(task))
			(void)!wait_sleep(NO_DEADLINE);
		else
			wait_cancel();
		/* From here on nobody takes hold of it, unless somebody just has. */
		__atomic_store_n(&rest->at_rest, false, __ATOMIC_SEQ_CST);
	}
}

bool task_rest_stepped(void)
{
	struct task *task = current_task();

	if (likely(!task->rest.step))
		return false;
	task->rest.step = false;
	arch_step_set(current_base(), false);
	__atomic_store_n(&task->rest.held, true, __ATOMIC_SEQ_CST);
	thread_work_set(&task->thread.base, WORK_NOTIFY);
	return true;
}

/* --- the other side --- */

bool task_has_ended(const struct task *task)
{
	return READ_ONCE(task->process->state) >= PROCESS_ZOMBIE;
}

/* `frozen` is set before `at_rest` is looked at, and the task looks at `frozen` after it has set `at_rest` to false. */
static int freeze(struct task *task)
{
	__atomic_store_n(&task->rest.frozen, true, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&task->rest.at_rest, __ATOMIC_SEQ_CST))
		return -EBUSY;
	while (READ_ONCE(task->thread.state) != THREAD_SLEEPING ||
	       __atomic_load_n(&task->thread.on_cpu, __ATOMIC_ACQUIRE))
		thread_yield();
	return 0;
}

static void thaw(struct task *task, bool wake)
{
	__atomic_store_n(&task->rest.frozen, false, __ATOMIC_SEQ_CST);
	if (wake)
		thread_wake(&task->thread);
}

void task_rest_end(struct task *task) __no_lock_analysis /* begun by task_rest_begin */
{
	thaw(task, true);
	mutex_unlock(&task->rest.lock);
}

int task_rest_begin(struct task *task) __no_lock_analysis /* held on success */
{
	int error;

	mutex_lock(&task->rest.lock);
	if (thread_work(&task->thread.base) & WORK_FATAL || task->exiting)
		error = -ESRCH;
	else
		error = freeze(task);
	if (error) {
		thaw(task, __atomic_load_n(&task->rest.at_rest, __ATOMIC_SEQ_CST));
		mutex_unlock(&task->rest.lock);
	}
	return error;
}

void task_rest_set_pool(struct task *task, struct pool *pool)
{
	struct pool *former = task->pool;
	irqflags_t flags;

	pool_user_get(pool);
	flags = spin_lock_irqsave(&task->process->lock);
	task->pool = pool;
	spin_unlock_irqrestore(&task->process->lock, flags);
	pool_user_put(former);
}

void task_rest_set_aspace(struct task *task, struct aspace *aspace)
{
	struct aspace *former;
	irqflags_t flags;

	aspace_get(aspace);
	aspace_user_get(aspace);
	flags = spin_lock_irqsave(&task->process->lock);
	process_forget_aspace_locked(task->process, &former);
	task->process->aspace = aspace;
	task->thread.aspace = aspace;
	spin_unlock_irqrestore(&task->process->lock, flags);
	aspace_user_put(former);
	aspace_put(former);
}

void task_rest_set_quota(struct task *task, u64 time_ns, u64 period_ns)
{
	struct sched_group *cpu = &task->rest.cpu;

	mutex_lock(&task->rest.lock);
	if (task->thread.group != cpu) {
		sched_group_init(cpu, task->thread.group);
		thread_set_group(&task->thread, cpu);
	}
	sched_group_set_quota(cpu, time_ns, period_ns);
	mutex_unlock(&task->rest.lock);
}

void task_rest_leave(struct task *task, bool step)
{
	task->rest.started = true;
	task->rest.step = step;
	if (step)
		arch_step_set(&task->thread.base, true);
	__atomic_store_n(&task->rest.held, false, __ATOMIC_SEQ_CST);
	/* Now, and not only when it runs: who waits for the end of a step must not see the rest before it. */
	__atomic_store_n(&task->rest.at_rest, false, __ATOMIC_SEQ_CST);
}

/* Of a task that was just made: it has only its first few steps to go. */
void task_await_rest(struct task *task)
{
	while (!task_has_ended(task) && !__atomic_load_n(&task->rest.at_rest, __ATOMIC_SEQ_CST))
		if (object_wait(&task->object, EPOLLPRI | EPOLLIN, NO_DEADLINE))
			thread_yield(); /* a signal is no reason to give up */
}

int task_suspend(struct task *task)
{
	int error = 0;

	__atomic_store_n(&task->rest.held, true, __ATOMIC_SEQ_CST);
	thread_work_set(&task->thread.base, WORK_NOTIFY | WORK_SIGNAL);
	thread_interrupt(&task->thread, false);
	thread_kick(&task->thread);
	while (!error && !task_has_ended(task) &&
	       !__atomic_load_n(&task->rest.at_rest, __ATOMIC_SEQ_CST)) {
		error = object_wait(&task->object, EPOLLPRI | EPOLLIN,
				    clock_monotonic_ns() + 10 * NSEC_PER_MSEC);
		if (error == -ETIMEDOUT)
			error = 0;
	}
	if (!error && task_has_ended(task))
		error = -ESRCH;
	return error;
}

void task_end(struct task *task)
{
	const siginfo_t info = { .si_signo = SIGKILL, .si_code = SI_KERNEL };
	struct process *process = task->process;

	while (!task_has_ended(task)) {
		(void)!signal_send_process(process, &info);
		if (process == current_process())
			return;
		thread_sleep_ns(NSEC_PER_MSEC);
	}
	memory_charge_end(&task->charge);
	memory_charge_end(&process->charge);
}

/* --- what it may call --- */

/* Calls that name nothing but handles and memory: those that every architecture has. */
static const u16 allowed_calls[] = {
	__NR_read,
	__NR_write,
	__NR_readv,
	__NR_writev,
	__NR_pread64,
	__NR_pwrite64,
	__NR_lseek,
	__NR_close,
	__NR_close_range,
	__NR_dup,
	__NR_dup3,
	__NR_fcntl,
	__NR_fstat,
	__NR_mmap,
	__NR_munmap,
	__NR_mprotect,
	__NR_mremap,
	__NR_madvise,
	__NR_ppoll,
	__NR_epoll_create1,
	__NR_epoll_ctl,
	__NR_epoll_pwait,
	__NR_futex,
	__NR_set_robust_list,
	__NR_set_tid_address,
	__NR_getpid,
	__NR_gettid,
	__NR_clock_gettime,
	__NR_clock_nanosleep,
	__NR_nanosleep,
	__NR_gettimeofday,
	__NR_timerfd_settime,
	__NR_timerfd_gettime,
	__NR_sched_yield,
	__NR_getrandom,
	__NR_rt_sigaction,
	__NR_rt_sigprocmask,
	__NR_rt_sigreturn,
	__NR_sigaltstack,
	__NR_restart_syscall,
	__NR_exit,
	__NR_exit_group,
};

bool task_call_allowed(u64 number)
{
	for (unsigned i = 0; i < ARRAY_SIZE(allowed_calls); i++)
		if (allowed_calls[i] == number)
			return true;
	return false;
}
