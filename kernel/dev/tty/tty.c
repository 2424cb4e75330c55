/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Terminals as files: opening, reading, writing, input from drivers, hang-up. dev/tty/tty.h has the
 * theory. */
#include <dev/tty/tty.h>

#include <core/time.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <proc/task.h>

#include <linux/eventpoll.h>
#include <linux/fcntl.h>

static void input_work(struct work *work);

static void echo(struct line_discipline *ld, const char *text, size_t size) __no_lock_analysis
{
	/* Called by line_discipline_receive, whose caller holds the lock of the tty that contains
	 * `ld`. */
	struct tty *tty = container_of(ld, struct tty, ld);
	(void)tty->driver->write(tty, text, size);
}

void tty_init(struct tty *tty, const struct tty_driver *driver, const char *name, u64 device)
{
	memset(tty, 0, sizeof(*tty));
	tty->refs = 1;
	tty->driver = driver;
	tty->device = device;
	(void)string_copy(tty->name, name, sizeof(tty->name));
	mutex_init(&tty->lock, RANK_TTY);
	spin_init(&tty->input_lock, RANK_TTY_BUFFER);
	line_discipline_init(&tty->ld, echo);
	wait_queue_init(&tty->wait);
	work_init(&tty->input_work, input_work);
}

void tty_get(struct tty *tty)
{
	__atomic_fetch_add(&tty->refs, 1, __ATOMIC_RELAXED);
}

void tty_put(struct tty *tty)
{
	if (__atomic_sub_fetch(&tty->refs, 1, __ATOMIC_ACQ_REL) == 0)
		tty->driver->destroy(tty);
}

/* Input */

size_t tty_receive(struct tty *tty, const char *text, size_t size)
{
	mutex_lock(&tty->lock);
	size_t taken = 0;
	/* A canonical line must always find its end, so only raw mode refuses input. */
	bool canonical = tty->ld.termios.c_lflag & ICANON;
	while (taken < size && (canonical || line_discipline_room(&tty->ld) > 0))
		line_discipline_receive(&tty->ld, (unsigned char)text[taken++]);
	u32 signals = tty->ld.signals;
	tty->ld.signals = 0;
	bool readable = line_discipline_readable(&tty->ld);
	mutex_unlock(&tty->lock);
	tty_send_signals(tty, signals);
	wake_up(&tty->wait, (readable ? EPOLLIN | EPOLLRDNORM : 0) | EPOLLOUT | EPOLLWRNORM);
	return taken;
}

void tty_receive_interrupt(struct tty *tty, const char *text, size_t size)
{
	irqflags_t flags = spin_lock_irqsave(&tty->input_lock);
	for (size_t i = 0; i < size && tty->input_head - tty->input_tail < sizeof(tty->input_ring);
	     i++)
		tty->input_ring[tty->input_head++ % sizeof(tty->input_ring)] = text[i];
	spin_unlock_irqrestore(&tty->input_lock, flags);
	(void)work_queue(&tty->input_work);
}

void tty_receive_break(struct tty *tty)
{
	WRITE_ONCE(tty->input_break, true);
	(void)work_queue(&tty->input_work);
}

static size_t take_input(struct tty *tty, char *buf, size_t size)
{
	size_t n = 0;
	irqflags_t flags = spin_lock_irqsave(&tty->input_lock);
	while (n < size && tty->input_tail != tty->input_head)
		buf[n++] = tty->input_ring[tty->input_tail++ % sizeof(tty->input_ring)];
	spin_unlock_irqrestore(&tty->input_lock, flags);
	return n;
}

static void input_work(struct work *work)
{
	struct tty *tty = container_of(work, struct tty, input_work);
	char buf[128];
	size_t n;
	if (__atomic_exchange_n(&tty->input_break, false, __ATOMIC_ACQ_REL)) {
		mutex_lock(&tty->lock);
		line_discipline_break(&tty->ld);
		u32 signals = tty->ld.signals;
		tty->ld.signals = 0;
		mutex_unlock(&tty->lock);
		tty_send_signals(tty, signals);
	}
	while ((n = take_input(tty, buf, sizeof(buf))) > 0)
		(void)tty_receive(tty, buf, n);
}

/* Reading */

/* How many bytes make a raw read return, and its overall and inter-byte limits (termios(3), MIN and
 * TIME). */
static bool raw_read_ready(struct tty *tty, size_t wanted)
{
	size_t minimum = tty->ld.termios.c_cc[VMIN];
	return line_discipline_available(&tty->ld) >= MAX(MIN(minimum, wanted), (size_t)1);
}

/* Waits as MIN and TIME ask. Returns 0 when the read may go on with what is there. The lock is held
 * at entry and exit. */
static int raw_wait(struct tty *tty, struct tty_open *open, size_t wanted) __must_hold(&tty->lock)
{
	u64 interval = tty->ld.termios.c_cc[VTIME] * (NSEC_PER_SEC / 10);
	bool between_bytes = tty->ld.termios.c_cc[VMIN] > 0;
	if (!between_bytes && !interval)
		return 0;
	u64 deadline = between_bytes ? NO_DEADLINE : clock_monotonic_ns() + interval;
	while (!raw_read_ready(tty, wanted) && !tty_open_hung_up(open) && !tty->other_closed &&
	       !(tty->ld.termios.c_lflag & ICANON)) {
		size_t before = line_discipline_available(&tty->ld);
		if (between_bytes && interval && before)
			deadline = clock_monotonic_ns() + interval;
		mutex_unlock(&tty->lock);
		int err = wait_event_until(
			&tty->wait,
			READ_ONCE(tty->ld.committed) - READ_ONCE(tty->ld.read) != before ||
				tty_open_hung_up(open) || READ_ONCE(tty->other_closed),
			SLEEP_INTERRUPTIBLE, deadline);
		mutex_lock(&tty->lock);
		if (err == -ETIMEDOUT)
			return 0;
		if (err)
			return line_discipline_available(&tty->ld) ? 0 : err;
	}
	return 0;
}

static ssize_t read_locked(struct tty *tty, struct file *file, struct iter *it)
	__must_hold(&tty->lock)
{
	struct tty_open *open = file->private;
	if (tty_open_hung_up(open))
		return 0;
	bool canonical = tty->ld.termios.c_lflag & ICANON;
	if (!canonical && !(file->flags & O_NONBLOCK)) {
		int err = raw_wait(tty, open, it->remaining);
		if (err)
			return err;
		canonical = tty->ld.termios.c_lflag & ICANON;
	}
	if (!line_discipline_readable(&tty->ld)) {
		if (tty_open_hung_up(open))
			return 0;
		if (tty->other_closed)
			return -EIO;
		/* MIN 0: nothing there is an answer, not a reason to wait. */
		if (!canonical && !tty->ld.termios.c_cc[VMIN] && !(file->flags & O_NONBLOCK))
			return 0;
		return -EAGAIN;
	}
	return line_discipline_read(&tty->ld, it);
}

static ssize_t tty_read(struct file *file, struct iter *it, u64 *offset)
{
	struct tty *tty = tty_of_file(file);
	int err = tty_check_background(tty, SIGTTIN);
	if (err)
		return err;
	mutex_lock(&tty->lock);
	ssize_t n = read_locked(tty, file, it);
	if (n > 0 && tty->driver->input_drained)
		tty->driver->input_drained(tty);
	mutex_unlock(&tty->lock);
	return n;
}

/* Writing */

size_t tty_write_locked(struct tty *tty, const char *text, size_t size)
{
	size_t taken = 0;
	while (taken < size) {
		char out[256];
		size_t room = MIN(tty->driver->write_room(tty), sizeof(out));
		if (room < 8)
			break;
		size_t consumed;
		size_t n = line_discipline_output(&tty->ld, text + taken, size - taken, out, room,
						  &consumed);
		(void)tty->driver->write(tty, out, n);
		taken += consumed;
	}
	return taken;
}

/* What one round may take from the user: it must fit after expansion, because the iterator does not
 * go back. */
static size_t write_chunk(struct tty *tty) __must_hold(&tty->lock)
{
	size_t room = tty->driver->write_room(tty);
	return room < 16 ? 0 : MIN((room - 8) / 8, (size_t)256);
}

static ssize_t tty_write(struct file *file, struct iter *it, u64 *offset)
{
	struct tty_open *open = file->private;
	struct tty *tty = open->tty;
	ssize_t total = 0;
	if (READ_ONCE(tty->ld.termios.c_lflag) & TOSTOP) {
		int err = tty_check_background(tty, SIGTTOU);
		if (err)
			return err;
	}
	mutex_lock(&tty->lock);
	while (it->remaining) {
		if (tty_open_hung_up(open) || tty->other_closed) {
			total = total ? total : -EIO;
			break;
		}
		char buf[256];
		size_t chunk = tty->ld.stopped ? 0 : MIN(write_chunk(tty), it->remaining);
		if (!chunk) {
			total = total ? total : -EAGAIN;
			break;
		}
		size_t n = iter_copy_from(it, buf, chunk);
		if (!n) {
			total = total ? total : -EFAULT;
			break;
		}
		total += (ssize_t)tty_write_locked(tty, buf, n);
	}
	mutex_unlock(&tty->lock);
	return total;
}

static u32 tty_ready(struct file *file)
{
	struct tty_open *open = file->private;
	struct tty *tty = open->tty;
	if (tty_open_hung_up(open))
		return EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM | EPOLLERR | EPOLLHUP;
	/* Read without the lock: a change is followed by a wake-up, and then this is asked again.
	 */
	u32 events = 0;
	size_t available = READ_ONCE(tty->ld.committed) - READ_ONCE(tty->ld.read);
	size_t minimum = 1;
	if (!(tty->ld.termios.c_lflag & ICANON) && !tty->ld.termios.c_cc[VTIME] &&
	    tty->ld.termios.c_cc[VMIN])
		minimum = tty->ld.termios.c_cc[VMIN];
	if (available >= minimum)
		events |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(tty->other_closed))
		events |= EPOLLHUP | EPOLLIN | EPOLLRDNORM;
	if (!tty->ld.stopped && tty->driver->write_room(tty) >= 16)
		events |= EPOLLOUT | EPOLLWRNORM;
	return events;
}

/* Opening and closing */

struct tty *tty_of_file(struct file *file)
{
	return file->ops == &tty_file_ops ? ((struct tty_open *)file->private)->tty : nullptr;
}

int tty_open(struct tty *tty, struct file *file, bool never_control)
{
	if (READ_ONCE(tty->other_closed))
		return -EIO;
	if (READ_ONCE(tty->exclusive) && !capable(CAP_SYS_ADMIN))
		return -EBUSY;
	struct tty_open *open = kmalloc(sizeof(*open), 0);
	if (!open)
		return -ENOMEM;
	mutex_lock(&tty->lock);
	tty_get(tty);
	open->tty = tty;
	open->generation = tty->generation;
	if (tty->open_count++ == 0 && tty->driver->opened)
		tty->driver->opened(tty);
	mutex_unlock(&tty->lock);
	file->ops = &tty_file_ops;
	file->private = open;
	file->mode |= FILE_MODE_STREAM | FILE_MODE_WRITE_ALL;
	file->object.waiters = &tty->wait;
	if (!never_control && !(file->flags & O_NOCTTY))
		tty_take_control_at_open(tty);
	return 0;
}

static void tty_file_destroy(struct file *file)
{
	struct tty_open *open = file->private;
	struct tty *tty = open->tty;
	mutex_lock(&tty->lock);
	if (!tty_open_hung_up(open) && --tty->open_count == 0) {
		tty->exclusive = false;
		if (tty->driver->closed)
			tty->driver->closed(tty);
	}
	mutex_unlock(&tty->lock);
	kfree(open);
	tty_put(tty);
}

void tty_hang_up(struct tty *tty)
{
	irqflags_t flags = spin_lock_irqsave(&process_table_lock);
	struct session *session = tty->session;
	struct process_group *foreground = nullptr;
	tty->session = nullptr;
	if (session) {
		foreground = session->foreground;
		session->foreground = nullptr;
		session->tty = nullptr;
	}
	spin_unlock_irqrestore(&process_table_lock, flags);

	mutex_lock(&tty->lock);
	tty->generation++;
	tty->open_count = 0;
	tty->exclusive = false;
	line_discipline_init(&tty->ld, echo);
	if (tty->driver->closed)
		tty->driver->closed(tty);
	mutex_unlock(&tty->lock);
	wake_up(&tty->wait, EPOLLHUP | EPOLLIN | EPOLLOUT | EPOLLERR);

	siginfo_t info;
	if (session) {
		struct process *leader;
		siginfo_kernel(&info, SIGHUP);
		if (process_find_global(session->id, &leader) == 0) {
			(void)signal_send_process(leader, &info);
			siginfo_kernel(&info, SIGCONT);
			(void)signal_send_process(leader, &info);
			process_put(leader);
		}
	}
	if (foreground) {
		siginfo_kernel(&info, SIGHUP);
		(void)signal_send_group(foreground, &info);
		siginfo_kernel(&info, SIGCONT);
		(void)signal_send_group(foreground, &info);
		process_group_put(foreground);
	}
}

const struct file_ops tty_file_ops = {
	FILE_OPS_DEFAULTS,  .read = tty_read,	.write = tty_write,
	.ready = tty_ready, .ioctl = tty_ioctl, .destroy = tty_file_destroy,
};
