/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Job control: which session a terminal controls, which process group is in the foreground, and
 * what happens to the others that use it (POSIX.1-2017, 11.1.3 and 11.1.4).
 *
 * session->foreground holds a reference; session->tty holds one too, dropped when the session loses
 * its terminal.
 */
#include <dev/tty/tty.h>

#include <core/panic.h>
#include <lib/errno.h>
#include <mm/ucopy.h>
#include <proc/pid_namespace.h>
#include <proc/task.h>

#include <asm/ioctls.h>

void tty_signal_foreground(struct tty *tty, int signo)
{
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);
	struct process_group *group = tty->session ? tty->session->foreground : nullptr;
	if (group)
		process_group_get(group);
	spin_unlock_irqrestore(&process_table_lock, flags);
	if (!group)
		return;
	siginfo_t info;
	siginfo_kernel(&info, signo);
	(void)signal_send_group(group, &info);
	process_group_put(group);
}

void tty_send_signals(struct tty *tty, u32 signals)
{
	while (signals) {
		int signo = __builtin_ctz(signals);
		signals &= signals - 1;
		tty_signal_foreground(tty, signo);
	}
}

static bool ignored_or_blocked(int signo)
{
	struct task *task = current_task();
	if (task->signals.blocked & SIGNAL_BIT(signo))
		return true;
	struct signal_actions *actions = task->process->actions;
	return actions->action[signo - 1].handler == (vaddr_t)SIG_IGN;
}

int tty_check_background(struct tty *tty, int signo)
{
	struct task *task = current_task();
	if (!task)
		return 0;
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);
	struct process *process = task->process;
	struct process_group *group = process->group;
	bool background = tty->session && tty->session == process->group->session &&
			  tty->session->foreground && tty->session->foreground != group;
	if (background)
		process_group_get(group);
	spin_unlock_irqrestore(&process_table_lock, flags);
	if (!background)
		return 0;
	int result = -ERESTARTSYS;
	if (ignored_or_blocked(signo)) {
		/* Output is let through, input is refused. */
		result = signo == SIGTTIN ? -EIO : 0;
	} else if (process_group_is_orphaned(group)) {
		result = -EIO;
	} else {
		siginfo_t info;
		siginfo_kernel(&info, signo);
		(void)signal_send_group(group, &info);
	}
	process_group_put(group);
	return result;
}

static void set_control_locked(struct tty *tty, struct session *session,
			       struct process_group *foreground) __must_hold(&process_table_lock)
{
	tty->session = session;
	tty_get(tty);
	session->tty = tty;
	ASSERT(!session->foreground);
	process_group_get(foreground);
	session->foreground = foreground;
}

/* Takes a session's terminal away; the caller sends signals and drops the references. */
static struct tty *clear_control_locked(struct session *session, struct process_group **foreground)
	__must_hold(&process_table_lock)
{
	struct tty *tty = session->tty;
	*foreground = session->foreground;
	session->foreground = nullptr;
	session->tty = nullptr;
	if (tty && tty->session == session)
		tty->session = nullptr;
	return tty;
}

void tty_take_control_at_open(struct tty *tty)
{
	struct task *task = current_task();
	if (!task)
		return;
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);
	struct process *process = task->process;
	struct session *session = process->group->session;
	if (session && session->id == process->pid && !session->tty && !tty->session)
		set_control_locked(tty, session, process->group);
	spin_unlock_irqrestore(&process_table_lock, flags);
}

struct tty *tty_of_session(void)
{
	struct task *task = current_task();
	if (!task)
		return nullptr;
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);
	struct tty *tty =
		task->process->group->session ? task->process->group->session->tty : nullptr;
	if (tty)
		tty_get(tty);
	spin_unlock_irqrestore(&process_table_lock, flags);
	return tty;
}

/* The leader exits: the session gives the terminal back, and its foreground group is hung up. */
static void give_up_terminal(struct session *session)
{
	struct process_group *foreground;
	siginfo_t info;
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);
	struct tty *tty = clear_control_locked(session, &foreground);

	spin_unlock_irqrestore(&process_table_lock, flags);
	if (foreground) {
		siginfo_kernel(&info, SIGHUP);
		(void)signal_send_group(foreground, &info);
		process_group_put(foreground);
	}
	if (tty)
		tty_put(tty);
}

void tty_session_exit(struct session *session)
{
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);
	struct tty *tty = session->tty;
	if (tty)
		tty_get(tty);
	spin_unlock_irqrestore(&process_table_lock, flags);
	if (!tty)
		return;
	if (tty->driver->outlives_session) {
		give_up_terminal(session);
		tty_put(tty);
		return;
	}
	tty_hang_up(tty);
	tty_put(tty);
	/* tty_hang_up cleared session->tty, whose reference this is. */
	tty_put(tty);
}

/* TIOCSCTTY: `steal` needs CAP_SYS_ADMIN. */
static long set_controlling(struct tty *tty, bool steal)
{
	long result = 0;
	struct process_group *old_foreground = nullptr;
	struct tty *stolen = nullptr;
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);
	struct process *process = current_process();
	struct session *session = process->group->session;
	if (session->id == process->pid && session == tty->session)
		result = 0;
	else if (session->id != process->pid || session->tty)
		result = -EPERM;
	else if (tty->session && !(steal && capable(CAP_SYS_ADMIN)))
		result = -EPERM;
	else {
		if (tty->session)
			stolen = clear_control_locked(tty->session, &old_foreground);
		set_control_locked(tty, session, process->group);
	}
	spin_unlock_irqrestore(&process_table_lock, flags);
	if (old_foreground)
		process_group_put(old_foreground);
	if (stolen)
		tty_put(stolen);
	return result;
}

/* TIOCNOTTY: the whole session loses it if the leader gives it up. */
static long give_up_control(struct tty *tty)
{
	struct process_group *foreground = nullptr;
	struct tty *released = nullptr;
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);
	struct process *process = current_process();
	struct session *session = process->group->session;
	if (!session || session->tty != tty) {
		spin_unlock_irqrestore(&process_table_lock, flags);
		return -ENOTTY;
	}
	if (session->id == process->pid)
		released = clear_control_locked(session, &foreground);
	spin_unlock_irqrestore(&process_table_lock, flags);
	if (foreground) {
		siginfo_t info;
		siginfo_kernel(&info, SIGHUP);
		(void)signal_send_group(foreground, &info);
		siginfo_kernel(&info, SIGCONT);
		(void)signal_send_group(foreground, &info);
		process_group_put(foreground);
	}
	if (released)
		tty_put(released);
	return 0;
}

/* `real_tty` is the slave side for a pty master. */
static long get_foreground(struct tty *tty, bool is_master, int __user *out)
{
	int pgid = 0;
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);
	struct session *session = tty->session;
	bool ours = is_master || (session && session == current_process()->group->session);
	if (ours && session && session->foreground)
		pgid = session->foreground->id;
	spin_unlock_irqrestore(&process_table_lock, flags);
	return ours ? put_user(pid_to_user(pgid), out) : -ENOTTY;
}

static long set_foreground(struct tty *tty, const int __user *in)
{
	int err = tty_check_background(tty, SIGTTOU);
	if (err)
		return err;
	int pgid;
	if (get_user(pgid, in))
		return -EFAULT;
	if (pgid < 0)
		return -EINVAL;
	struct process_group *group;
	if (process_group_find(pgid, &group))
		return -ESRCH;
	struct process_group *old = group;
	long result = 0;
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);
	struct session *session = current_process()->group->session;
	if (!session || tty->session != session) {
		result = -ENOTTY;
	} else if (group->session != session) {
		result = -EPERM;
	} else {
		old = session->foreground;
		session->foreground = group;
	}
	spin_unlock_irqrestore(&process_table_lock, flags);
	if (old)
		process_group_put(old);
	return result;
}

static long get_session(struct tty *tty, bool is_master, int __user *out)
{
	int sid = 0;
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);
	bool ours =
		tty->session && (is_master || tty->session == current_process()->group->session);
	if (ours)
		sid = tty->session->id;
	spin_unlock_irqrestore(&process_table_lock, flags);
	return ours ? put_user(pid_to_user(sid), out) : -ENOTTY;
}

long tty_job_ioctl(struct tty *tty, struct file *file, unsigned request, unsigned long argument)
{
	bool is_master = file->ops != &tty_file_ops;
	int __user *user = __force_user(int __user *, argument);
	switch (request) {
	case TIOCSCTTY:
		return set_controlling(tty, argument == 1);
	case TIOCNOTTY:
		return give_up_control(tty);
	case TIOCGPGRP:
		return get_foreground(tty, is_master, user);
	case TIOCSPGRP:
		return set_foreground(tty, user);
	case TIOCGSID:
		return get_session(tty, is_master, user);
	default:
		return -ENOTTY;
	}
}
