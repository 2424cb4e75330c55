/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Terminal ioctls (tty_ioctl(4)): settings, queues, window size, flow control. */
#include <dev/tty/tty.h>

#include <lib/errno.h>
#include <lib/string.h>
#include <mm/ucopy.h>
#include <proc/task.h>

#include <asm/ioctls.h>
#include <linux/eventpoll.h>
#include <linux/tty.h>

#define USER(type) __force_user(type __user *, argument)

/*
 * The kernel's settings are a struct ktermios, which has the layout of termios2: struct termios is
 * its beginning without speeds.
 */
static_assert(sizeof(struct ktermios) == sizeof(struct termios2));
static_assert(offsetof(struct ktermios, c_cc) == offsetof(struct termios, c_cc));

static long get_settings(struct tty *tty, unsigned long argument, size_t size)
{
	struct ktermios copy;
	mutex_lock(&tty->lock);
	copy = tty->ld.termios;
	mutex_unlock(&tty->lock);
	return copy_to_user(USER(void), &copy, size);
}

static long get_old_settings(struct tty *tty, unsigned long argument)
{
	struct termio old = { 0 };
	mutex_lock(&tty->lock);
	old.c_iflag = (unsigned short)tty->ld.termios.c_iflag;
	old.c_oflag = (unsigned short)tty->ld.termios.c_oflag;
	old.c_cflag = (unsigned short)tty->ld.termios.c_cflag;
	old.c_lflag = (unsigned short)tty->ld.termios.c_lflag;
	memcpy(old.c_cc, tty->ld.termios.c_cc, NCC);
	mutex_unlock(&tty->lock);
	return copy_to_user(USER(void), &old, sizeof(old));
}

/* Waits until all output has left (tcdrain(3)); drivers that transmit at once have nothing pending.
 */
static int drain(struct tty *tty)
{
	if (!tty->driver->pending)
		return 0;
	return wait_event_interruptible(&tty->wait,
					!tty->driver->pending(tty) || READ_ONCE(tty->other_closed));
}

enum settings_kind { SETTINGS_TERMIOS, SETTINGS_TERMIOS2, SETTINGS_TERMIO };

static int read_settings(struct tty *tty, unsigned long argument, enum settings_kind kind,
			 struct ktermios *out)
{
	mutex_lock(&tty->lock);
	*out = tty->ld.termios;
	mutex_unlock(&tty->lock);
	if (kind == SETTINGS_TERMIOS2)
		return copy_from_user(out, USER(void), sizeof(struct termios2));
	if (kind == SETTINGS_TERMIOS)
		return copy_from_user(out, USER(void), sizeof(struct termios));
	struct termio old;
	if (copy_from_user(&old, USER(void), sizeof(old)))
		return -EFAULT;
	out->c_iflag = (out->c_iflag & 0xffff0000u) | old.c_iflag;
	out->c_oflag = (out->c_oflag & 0xffff0000u) | old.c_oflag;
	out->c_cflag = (out->c_cflag & 0xffff0000u) | old.c_cflag;
	out->c_lflag = (out->c_lflag & 0xffff0000u) | old.c_lflag;
	memcpy(out->c_cc, old.c_cc, NCC);
	return 0;
}

static long set_settings(struct tty *tty, unsigned long argument, enum settings_kind kind,
			 bool wait, bool flush)
{
	struct ktermios new;
	int err = tty_check_background(tty, SIGTTOU);
	if (!err)
		err = read_settings(tty, argument, kind, &new);
	if (!err && wait)
		err = drain(tty);
	if (err)
		return err;
	mutex_lock(&tty->lock);
	struct ktermios old = tty->ld.termios;
	if (flush)
		line_discipline_flush_input(&tty->ld);
	line_discipline_set(&tty->ld, &new);
	if (tty->driver->set_termios)
		tty->driver->set_termios(tty, &old);
	mutex_unlock(&tty->lock);
	/* Readers may have to look again with other rules. */
	wake_up(&tty->wait, EPOLLIN | EPOLLOUT);
	return 0;
}

static long set_window(struct tty *tty, unsigned long argument)
{
	struct winsize window;
	if (copy_from_user(&window, USER(void), sizeof(window)))
		return -EFAULT;
	mutex_lock(&tty->lock);
	bool changed = memcmp(&window, &tty->window, sizeof(window)) != 0;
	tty->window = window;
	mutex_unlock(&tty->lock);
	if (changed)
		tty_signal_foreground(tty, SIGWINCH);
	return 0;
}

static long get_window(struct tty *tty, unsigned long argument)
{
	mutex_lock(&tty->lock);
	struct winsize window = tty->window;
	mutex_unlock(&tty->lock);
	return copy_to_user(USER(void), &window, sizeof(window));
}

static long flush_queues(struct tty *tty, unsigned long which)
{
	if (which != TCIFLUSH && which != TCOFLUSH && which != TCIOFLUSH)
		return -EINVAL;
	int err = tty_check_background(tty, SIGTTOU);
	if (err)
		return err;
	if (which != TCOFLUSH) {
		mutex_lock(&tty->lock);
		line_discipline_flush_input(&tty->ld);
		if (tty->driver->input_drained)
			tty->driver->input_drained(tty);
		mutex_unlock(&tty->lock);
	}
	return 0;
}

static long flow_control(struct tty *tty, unsigned long action)
{
	int err = tty_check_background(tty, SIGTTOU);
	if (err)
		return err;
	mutex_lock(&tty->lock);
	switch (action) {
	case TCOOFF:
		tty->ld.stopped = true;
		break;
	case TCOON:
		tty->ld.stopped = false;
		break;
	case TCIOFF:
		tty->ld.echo(&tty->ld, (const char *)&tty->ld.termios.c_cc[VSTOP], 1);
		break;
	case TCION:
		tty->ld.echo(&tty->ld, (const char *)&tty->ld.termios.c_cc[VSTART], 1);
		break;
	default:
		err = -EINVAL;
	}
	mutex_unlock(&tty->lock);
	wake_up(&tty->wait, EPOLLOUT);
	return err;
}

static long available(struct tty *tty, unsigned long argument)
{
	mutex_lock(&tty->lock);
	int n = (int)line_discipline_available(&tty->ld);
	mutex_unlock(&tty->lock);
	return put_user(n, USER(int));
}

/* TIOCSTI: a byte as if typed; only on one's own controlling terminal unless privileged. */
static long fake_input(struct tty *tty, unsigned long argument)
{
	char c;
	struct tty *own = tty_of_session();
	if (own)
		tty_put(own);
	if (own != tty && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (get_user(c, USER(const char)))
		return -EFAULT;
	(void)tty_receive(tty, &c, 1);
	return 0;
}

static long settings_ioctl(struct tty *tty, unsigned request, unsigned long argument)
{
	switch (request) {
	case TCGETS:
		return get_settings(tty, argument, sizeof(struct termios));
	case TCGETS2:
		return get_settings(tty, argument, sizeof(struct termios2));
	case TCGETA:
		return get_old_settings(tty, argument);
	case TCSETS:
		return set_settings(tty, argument, SETTINGS_TERMIOS, false, false);
	case TCSETSW:
		return set_settings(tty, argument, SETTINGS_TERMIOS, true, false);
	case TCSETSF:
		return set_settings(tty, argument, SETTINGS_TERMIOS, true, true);
	case TCSETS2:
		return set_settings(tty, argument, SETTINGS_TERMIOS2, false, false);
	case TCSETSW2:
		return set_settings(tty, argument, SETTINGS_TERMIOS2, true, false);
	case TCSETSF2:
		return set_settings(tty, argument, SETTINGS_TERMIOS2, true, true);
	case TCSETA:
		return set_settings(tty, argument, SETTINGS_TERMIO, false, false);
	case TCSETAW:
		return set_settings(tty, argument, SETTINGS_TERMIO, true, false);
	case TCSETAF:
		return set_settings(tty, argument, SETTINGS_TERMIO, true, true);
	default:
		return -ENOTTY;
	}
}

static long queue_ioctl(struct tty *tty, unsigned request, unsigned long argument)
{
	switch (request) {
	case TIOCGWINSZ:
		return get_window(tty, argument);
	case TIOCSWINSZ:
		return set_window(tty, argument);
	case FIONREAD:
		return available(tty, argument);
	case TIOCOUTQ:
		return put_user((int)(tty->driver->pending ? tty->driver->pending(tty) : 0),
				USER(int));
	case TCFLSH:
		return flush_queues(tty, argument);
	case TCXONC:
		return flow_control(tty, argument);
	case TCSBRK:
	case TCSBRKP: {
		/* Breaks cannot be sent by these devices; with an argument TCSBRK is tcdrain(3). */
		int err = tty_check_background(tty, SIGTTOU);
		return err ? err : drain(tty);
	}
	case TIOCSTI:
		return fake_input(tty, argument);
	case TIOCEXCL:
		WRITE_ONCE(tty->exclusive, true);
		return 0;
	case TIOCNXCL:
		WRITE_ONCE(tty->exclusive, false);
		return 0;
	case TIOCGEXCL:
		return put_user((int)READ_ONCE(tty->exclusive), USER(int));
	case TIOCGETD:
		return put_user((int)N_TTY, USER(int));
	case TIOCVHANGUP:
		if (!capable(CAP_SYS_ADMIN))
			return -EPERM;
		tty_hang_up(tty);
		return 0;
	default:
		return -ENOTTY;
	}
}

long tty_settings_of(struct tty *tty, struct file *file, unsigned request, unsigned long argument)
{
	long result = settings_ioctl(tty, request, argument);
	if (result == -ENOTTY)
		result = queue_ioctl(tty, request, argument);
	if (result == -ENOTTY)
		result = tty_job_ioctl(tty, file, request, argument);
	return result;
}

long tty_ioctl(struct file *file, unsigned request, unsigned long argument)
{
	struct tty_open *open = file->private;
	struct tty *tty = open->tty;
	if (tty_open_hung_up(open))
		return request == TIOCSPGRP ? -ENOTTY : -EIO;
	long result = tty_settings_of(tty, file, request, argument);
	if (result == -ENOTTY && tty->driver->ioctl)
		result = tty->driver->ioctl(tty, file, request, argument);
	return result;
}
