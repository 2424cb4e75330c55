/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ptrace(2). */
#include <arch/frame.h>
#include <arch/layout.h>
#include <arch/ptrace.h>
#include <lib/errno.h>
#include <mm/aspace.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <proc/inspect.h>
#include <proc/pid_namespace.h>
#include <proc/task.h>
#include <syscall_prototypes.h>

#include <linux/elf.h>
#include <linux/ptrace.h>
#include <linux/uio.h>

/* Those of <sys/ptrace.h> that the uapi headers leave to the C library. */
#define PTRACE_SYSEMU_REQUEST 31
#define PTRACE_SYSEMU_STEP_REQUEST 32

#define OPTIONS_KNOWN (PTRACE_O_MASK & ~(u64)PTRACE_O_SUSPEND_SECCOMP)

static void __user *user_pointer(unsigned long address)
{
	return __force_user(void __user *, address);
}

static long peek(struct task *task, unsigned long address, unsigned long data)
{
	struct aspace *as = process_aspace_get(task->process);
	unsigned long word;
	ssize_t done;

	if (!as)
		return -EIO;
	done = aspace_read(as, address, &word, sizeof(word), true);
	process_aspace_put(as);
	return done == sizeof(word) ? put_user(word, (unsigned long __user *)user_pointer(data))
				    : -EIO;
}

static long poke(struct task *task, unsigned long address, unsigned long data)
{
	struct aspace *as = process_aspace_get(task->process);
	ssize_t done;

	if (!as)
		return -EIO;
	done = aspace_write(as, address, &data, sizeof(data), true);
	process_aspace_put(as);
	return done == sizeof(data) ? 0 : -EIO;
}

static long peek_user(struct task *task, long request, unsigned long address, unsigned long data)
{
	u64 word = 0;
	long err = arch_ptrace(&task->thread.base, request, address, data, &word);

	if (!err && request == PTRACE_PEEKUSR)
		err = put_user(word, (u64 __user *)user_pointer(data));
	return err;
}

/* Copies the first `size` bytes of a set of registers out or in. */
static long regset_copy(struct task *task, u32 type, void __user *user, size_t size, bool write)
{
	void *buf = kzalloc(arch_regset_size(type), 0);
	long err;

	if (!buf)
		return -ENOMEM;
	err = arch_regset_get(&task->thread.base, type, buf);
	if (!err && write) {
		err = copy_from_user(buf, user, size) ? -EFAULT : 0;
		if (!err)
			err = arch_regset_set(&task->thread.base, type, buf);
	} else if (!err) {
		err = copy_to_user(user, buf, size) ? -EFAULT : 0;
	}
	kfree(buf);
	return err;
}

static long regset(struct task *task, unsigned long type, unsigned long data, bool write)
{
	struct iovec __user *user = user_pointer(data);
	struct iovec iov;
	size_t size;
	long err;

	if (copy_from_user(&iov, user, sizeof(iov)))
		return -EFAULT;
	size = arch_regset_size((u32)type);
	if (!size || iov.iov_len % (size % 8 ? 4 : 8))
		return -EINVAL;
	size = MIN(size, iov.iov_len);
	err = regset_copy(task, (u32)type, __force_user(void __user *, iov.iov_base), size, write);
	return err ? err : put_user(size, &user->iov_len);
}

static long get_siginfo(struct task *task, unsigned long data)
{
	siginfo_t info;

	if (!task->trace.info)
		return -EINVAL;
	info = *task->trace.info;
	return siginfo_copy_to_user(user_pointer(data), &info);
}

static long set_siginfo(struct task *task, unsigned long data)
{
	siginfo_t info;

	if (copy_from_user(&info, user_pointer(data), sizeof(info)))
		return -EFAULT;
	if (!task->trace.info)
		return -EINVAL;
	*task->trace.info = info;
	return 0;
}

/* The `index`th queued signal of the task or its process. */
static bool queued_info(struct task *task, bool shared, u64 index, siginfo_t *out)
{
	struct process *process = task->process;
	irqflags_t flags = spin_lock_irqsave(&process->lock);
	const struct signal_queue *queue = shared ? &process->pending : &task->signals.pending;
	const struct queued_signal *queued;
	bool found = false;

	list_for_each (queued, &queue->list, node) {
		if (index--)
			continue;
		*out = queued->info;
		found = true;
		break;
	}
	spin_unlock_irqrestore(&process->lock, flags);
	return found;
}

static long peek_siginfo(struct task *task, unsigned long address, unsigned long data)
{
	siginfo_t __user *user = user_pointer(data);
	struct ptrace_peeksiginfo_args args;
	siginfo_t info;
	int n;

	if (copy_from_user(&args, user_pointer(address), sizeof(args)))
		return -EFAULT;
	if (args.flags & ~(u32)PTRACE_PEEKSIGINFO_SHARED || args.nr < 0)
		return -EINVAL;
	for (n = 0; n < args.nr; n++) {
		if (!queued_info(task, args.flags & PTRACE_PEEKSIGINFO_SHARED, args.off + (u64)n,
				 &info))
			break;
		if (siginfo_copy_to_user(user + n, &info))
			return n ? n : -EFAULT;
		if (signal_pending())
			return n + 1;
	}
	return n;
}

static long signal_mask_request(struct task *task, bool write, unsigned long size,
				unsigned long data)
{
	struct signal_state *state = &task->signals;
	signal_mask mask = state->restore_mask ? state->saved_mask : state->blocked;

	if (size != sizeof(mask))
		return -EINVAL;
	if (!write)
		return put_user(mask, (signal_mask __user *)user_pointer(data));
	if (copy_from_user(&mask, user_pointer(data), sizeof(mask)))
		return -EFAULT;
	signal_set_mask_of(task, mask);
	return 0;
}

static void fill_entry(const struct trap_frame *frame, __u64 *number, __u64 arguments[6])
{
	*number = frame_syscall_number(frame);
	for (unsigned i = 0; i < 6; i++)
		arguments[i] = frame_argument(frame, i);
}

static long get_syscall_info(struct task *task, unsigned long size, unsigned long data)
{
	const struct trap_frame *frame = thread_user_frame(task->thread.base.kstack_top);
	struct ptrace_syscall_info info = {
		.op = task->trace.syscall_op,
		.arch = arch_audit_number,
		.instruction_pointer = frame_pc(frame),
		.stack_pointer = frame_sp(frame),
	};
	size_t actual = offsetof(struct ptrace_syscall_info, entry);
	long result = (long)frame_return_value(frame);

	switch (info.op) {
	case PTRACE_SYSCALL_INFO_ENTRY:
		fill_entry(frame, &info.entry.nr, info.entry.args);
		actual = offsetof(struct ptrace_syscall_info, entry.args[6]);
		break;
	case PTRACE_SYSCALL_INFO_EXIT:
		info.exit.rval = result;
		info.exit.is_error = result < 0 && result >= -MAX_ERRNO;
		actual = offsetof(struct ptrace_syscall_info, exit.is_error) + 1;
		break;
	case PTRACE_SYSCALL_INFO_SECCOMP:
		fill_entry(frame, &info.seccomp.nr, info.seccomp.args);
		info.seccomp.ret_data = task->trace.seccomp_data;
		actual = offsetof(struct ptrace_syscall_info, seccomp.ret_data) + 4;
		break;
	}
	return copy_to_user(user_pointer(data), &info, MIN(size, actual)) ? -EFAULT : (long)actual;
}

static long set_options(struct task *task, unsigned long options)
{
	if (options & ~OPTIONS_KNOWN)
		return -EINVAL;
	WRITE_ONCE(task->trace.options, (u32)options);
	return 0;
}

/* Events that tell of a new task have its number. */
static u64 event_message(const struct task *task)
{
	u64 message = task->trace.message;

	switch (task->trace.code >> 8) {
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
	case PTRACE_EVENT_EXEC:
	case PTRACE_EVENT_VFORK_DONE:
		return (u64)pid_to_user((int)message);
	default:
		return message;
	}
}

/* Requests that look at or change a tracee that stands still. */
static long request_held(struct task *task, long request, unsigned long address, unsigned long data)
{
	bool write;
	u32 type;

	switch (request) {
	case PTRACE_PEEKTEXT:
	case PTRACE_PEEKDATA:
		return peek(task, address, data);
	case PTRACE_POKETEXT:
	case PTRACE_POKEDATA:
		return poke(task, address, data);
	case PTRACE_SETOPTIONS:
		return set_options(task, data);
	case PTRACE_GETEVENTMSG:
		return put_user(event_message(task), (u64 __user *)user_pointer(data));
	case PTRACE_GETSIGINFO:
		return get_siginfo(task, data);
	case PTRACE_SETSIGINFO:
		return set_siginfo(task, data);
	case PTRACE_PEEKSIGINFO:
		return peek_siginfo(task, address, data);
	case PTRACE_GETSIGMASK:
	case PTRACE_SETSIGMASK:
		return signal_mask_request(task, request == PTRACE_SETSIGMASK, address, data);
	case PTRACE_GETREGSET:
	case PTRACE_SETREGSET:
		return regset(task, address, data, request == PTRACE_SETREGSET);
	case PTRACE_GET_SYSCALL_INFO:
		return get_syscall_info(task, address, data);
	default:
		if (arch_ptrace_regset(request, &type, &write))
			return regset_copy(task, type, user_pointer(data), arch_regset_size(type),
					   write);
		return peek_user(task, request, address, data);
	}
}

static long request_stopped(struct task *task, long request, unsigned long address,
			    unsigned long data)
{
	long err = trace_hold(task);

	if (err)
		return err;
	switch (request) {
	case PTRACE_CONT:
		return trace_resume(task, TRACE_CONTINUE, data);
	case PTRACE_SYSCALL:
		return trace_resume(task, TRACE_SYSCALL, data);
	case PTRACE_SINGLESTEP:
		return trace_resume(task, TRACE_STEP, data);
	case PTRACE_SYSEMU_REQUEST:
		return trace_resume(task, TRACE_EMULATE, data);
	case PTRACE_SYSEMU_STEP_REQUEST:
		return trace_resume(task, TRACE_EMULATE_STEP, data);
	case PTRACE_DETACH:
		return trace_detach(task, data);
	case PTRACE_LISTEN:
		return trace_listen(task);
	default:
		err = request_held(task, request, address, data);
		trace_release(task);
		return err;
	}
}

static long kill_tracee(struct task *task)
{
	siginfo_t info;

	if (READ_ONCE(task->trace.tracer) != current_task())
		return -ESRCH;
	siginfo_kernel(&info, SIGKILL);
	return signal_send_process(task->process, &info);
}

static long seize(struct task *task, unsigned long address, unsigned long options)
{
	if (address || (options & ~OPTIONS_KNOWN))
		return -EIO;
	return trace_attach(task, true, (u32)options);
}

long sys_ptrace(long request, int pid, unsigned long address, unsigned long data)
{
	struct task *task;
	long err;

	if (request == PTRACE_TRACEME)
		return trace_me();
	err = task_find(pid, &task);
	if (err)
		return err;
	switch (request) {
	case PTRACE_ATTACH:
		err = trace_attach(task, false, 0);
		break;
	case PTRACE_SEIZE:
		err = seize(task, address, data);
		break;
	case PTRACE_INTERRUPT:
		err = trace_interrupt(task);
		break;
	case PTRACE_KILL:
		err = kill_tracee(task);
		break;
	default:
		err = request_stopped(task, request, address, data);
		break;
	}
	task_put(task);
	return err;
}
