/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Restartable sequences (Linux's uapi header <linux/rseq.h>): user code that works on data of its CPU without locks, and
 * is started anew when it was preempted, moved or interrupted by a signal.
 *
 * The scheduler sets WORK_RSEQ in a registered thread that was preempted or comes to another CPU than its area says.
 * On the way to user mode rseq_resume looks at the area then. A thread that only sleeps in system calls on one CPU, as
 * most do, never pays.
 */
#include <arch/frame.h>
#include <arch/layout.h>
#include <core/percpu.h>
#include <lib/errno.h>
#include <mm/ucopy.h>
#include <proc/proc_priv.h>
#include <proc/rseq.h>

#include <linux/rseq.h>

static void set_area(struct task *task, struct rseq __user *area, u32 signature)
{
	task->rseq = area;
	task->rseq_signature = signature;
	task->thread.rseq_cpu = CPU_MAX;
	WRITE_ONCE(task->thread.has_rseq, area);
	if (area)
		thread_work_set(&task->thread.base, WORK_RSEQ);
}

int rseq_register(struct rseq __user *area, u32 size, u32 signature)
{
	struct task *task = current_task();

	if (task->rseq) {
		if (area != task->rseq || size != sizeof(*area))
			return -EINVAL;
		return signature == task->rseq_signature ? -EBUSY : -EPERM;
	}
	if ((uintptr_t)area % alignof(struct rseq) || size != sizeof(*area))
		return -EINVAL;
	if (!user_range_ok(area, size))
		return -EFAULT;
	set_area(task, area, signature);
	return 0;
}

int rseq_unregister(struct rseq __user *area, u32 size, u32 signature)
{
	struct task *task = current_task();

	if (!task->rseq || area != task->rseq || size != sizeof(*area))
		return -EINVAL;
	if (signature != task->rseq_signature)
		return -EPERM;
	if (put_user(0u, &area->cpu_id_start) ||
	    put_user((u32)RSEQ_CPU_ID_UNINITIALIZED, &area->cpu_id))
		return -EFAULT;
	set_area(task, nullptr, 0);
	return 0;
}

void rseq_fork(struct task *child, const struct task *parent)
{
	if (parent->rseq)
		set_area(child, parent->rseq, parent->rseq_signature);
}

void rseq_reset(struct task *task)
{
	set_area(task, nullptr, 0);
}

/* Reads the description of a critical section, and distrusts it. */
static int read_section(const struct task *task, u64 address, struct rseq_cs *section)
{
	const struct rseq_cs __user *user = __force_user(const struct rseq_cs __user *, address);
	u32 signature;
	u64 end;

	if (copy_from_user(section, user, sizeof(*section)))
		return -EFAULT;
	if (section->version || section->flags || section->abort_ip >= USER_MAX ||
	    section->abort_ip < sizeof(u32) ||
	    add_overflows(section->start_ip, section->post_commit_offset, &end) || end > USER_MAX ||
	    section->abort_ip - section->start_ip < section->post_commit_offset)
		return -EINVAL;
	if (get_user(signature,
		     __force_user(const u32 __user *, section->abort_ip - sizeof(signature))))
		return -EFAULT;
	return signature == task->rseq_signature ? 0 : -EINVAL;
}

static int leave_section(struct task *task, struct trap_frame *frame)
{
	struct rseq_cs section;
	u64 address;
	u32 flags;
	int error;

	if (get_user(address, &task->rseq->rseq_cs))
		return -EFAULT;
	if (!address)
		return 0;
	error = read_section(task, address, &section);
	if (error)
		return error;
	if (get_user(flags, &task->rseq->flags) || put_user((u64)0, &task->rseq->rseq_cs))
		return -EFAULT;
	if (frame_pc(frame) - section.start_ip >= section.post_commit_offset)
		return 0;
	if (flags) /* sequences that some events do not restart are no more */
		return -EINVAL;
	frame_set_pc(frame, section.abort_ip);
	return 0;
}

void rseq_resume(struct trap_frame *frame)
{
	struct task *task = current_task();
	unsigned cpu;

	/* In this order: a move from here on sets it again. */
	thread_work_clear(&task->thread.base, WORK_RSEQ);
	if (!task->rseq)
		return;
	preempt_disable();
	cpu = task->thread.rseq_cpu = cpu_id();
	preempt_enable();
	if (leave_section(task, frame) || put_user(cpu, &task->rseq->cpu_id_start) ||
	    put_user(cpu, &task->rseq->cpu_id))
		signal_force_fatal(SIGSEGV);
}
