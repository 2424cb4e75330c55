/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pseudo terminals.
 *
 * A pair is one struct tty (the slave, with the line discipline) and a ring of output that the
 * master reads. tty->lock guards both sides. The pair lives while the master or a slave file is
 * open: each holds a reference of the tty.
 *
 * The master is no terminal in this implementation: it has file operations of its own and passes
 * terminal ioctls to the slave.
 */
#include <dev/tty/pty.h>
#include <dev/tty/tty.h>

#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <proc/task.h>
#include <vfs/vfs.h>

#include <asm/ioctls.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/major.h>

#define OUTPUT_SIZE 8192u
#define PTY_GROUP 5 /* Debian's group tty, as its mounts of devpts ask with gid=5 */

struct pty {
	struct tty tty; /* first */
	int index;
	bool slave_locked;  /* TIOCSPTLCK */
	bool slave_opened;  /* has been open once: the master's hang-up counts only then */
	bool packet_mode;   /* TIOCPKT */
	u8 packet_events;   /* TIOCPKT_* not yet told */
	u32 uid, gid, mode; /* of the slave's name in devpts; guarded by table_lock */
	u32 output_head, output_tail;
	char output[OUTPUT_SIZE];
	struct wait_queue master_wait;
};

static struct mutex table_lock;
static struct pty *table[PTY_MAX] __guarded_by(&table_lock);
static struct device_node slave_driver = {
	.mode = S_IFCHR | 0620,
	.open = pty_open_slave,
	.class_name = nullptr,
};

static struct pty *pty_of(struct tty *tty)
{
	return (struct pty *)tty;
}

/* The slave's driver: output goes to the ring. */

static size_t pty_write_room(struct tty *tty)
{
	struct pty *pty = pty_of(tty);
	return OUTPUT_SIZE - (READ_ONCE(pty->output_head) - READ_ONCE(pty->output_tail));
}

static size_t pty_write(struct tty *tty, const char *text, size_t size)
{
	struct pty *pty = pty_of(tty);
	size_t n = MIN(size, pty_write_room(tty));
	for (size_t i = 0; i < n; i++)
		pty->output[(pty->output_head + i) % OUTPUT_SIZE] = text[i];
	WRITE_ONCE(pty->output_head, pty->output_head + (u32)n);
	wake_up(&pty->master_wait, EPOLLIN | EPOLLRDNORM);
	return n;
}

static size_t pty_pending(struct tty *tty)
{
	return OUTPUT_SIZE - pty_write_room(tty);
}

static void pty_opened(struct tty *tty)
{
	pty_of(tty)->slave_opened = true;
}

static void pty_closed(struct tty *tty)
{
	wake_up(&pty_of(tty)->master_wait, EPOLLHUP | EPOLLIN);
}

static void pty_input_drained(struct tty *tty)
{
	wake_up(&pty_of(tty)->master_wait, EPOLLOUT | EPOLLWRNORM);
}

static void pty_set_termios(struct tty *tty, const struct ktermios *old)
{
	struct pty *pty = pty_of(tty);
	if (!pty->packet_mode)
		return;
	bool was_flow = (old->c_iflag & IXON) && old->c_cc[VSTOP] == 19 && old->c_cc[VSTART] == 17;
	const struct ktermios *new = &tty->ld.termios;
	bool is_flow = (new->c_iflag & IXON) && new->c_cc[VSTOP] == 19 && new->c_cc[VSTART] == 17;
	if (was_flow == is_flow)
		return;
	pty->packet_events &= (u8) ~(TIOCPKT_DOSTOP | TIOCPKT_NOSTOP);
	pty->packet_events |= is_flow ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP;
	wake_up(&pty->master_wait, EPOLLPRI | EPOLLIN);
}

static void pty_destroy(struct tty *tty)
{
	struct pty *pty = pty_of(tty);
	mutex_lock(&table_lock);
	table[pty->index] = nullptr;
	mutex_unlock(&table_lock);
	kfree(pty);
}

static const struct tty_driver pty_driver = {
	.outlives_session = true,
	.write_room = pty_write_room,
	.write = pty_write,
	.set_termios = pty_set_termios,
	.opened = pty_opened,
	.closed = pty_closed,
	.input_drained = pty_input_drained,
	.pending = pty_pending,
	.destroy = pty_destroy,
};

/* The master file. */

static ssize_t copy_output(struct pty *pty, struct iter *it) __must_hold(&pty->tty.lock)
{
	ssize_t total = 0;
	while (it->remaining && pty->output_tail != pty->output_head) {
		u32 at = pty->output_tail % OUTPUT_SIZE;
		size_t run = MIN(pty->output_head - pty->output_tail, OUTPUT_SIZE - at);
		run = MIN(run, it->remaining);
		size_t n = iter_copy_to(it, pty->output + at, run);
		WRITE_ONCE(pty->output_tail, pty->output_tail + (u32)n);
		total += (ssize_t)n;
		if (n < run)
			return total ? total : -EFAULT;
	}
	return total;
}

static ssize_t master_read_locked(struct pty *pty, struct iter *it) __must_hold(&pty->tty.lock)
{
	if (pty->packet_mode) {
		u8 control = pty->packet_events;
		if (control || pty->output_tail != pty->output_head) {
			pty->packet_events = 0;
			if (iter_copy_to(it, &control, 1) != 1)
				return -EFAULT;
			if (control)
				return 1;
			ssize_t rest = copy_output(pty, it);
			return rest < 0 ? rest : rest + 1;
		}
	} else if (pty->output_tail != pty->output_head) {
		return copy_output(pty, it);
	}
	return pty->slave_opened && !pty->tty.open_count ? -EIO : -EAGAIN;
}

static ssize_t master_read(struct file *file, struct iter *it, u64 *offset)
{
	struct pty *pty = file->private;
	if (!it->remaining)
		return 0;
	mutex_lock(&pty->tty.lock);
	ssize_t n = master_read_locked(pty, it);
	mutex_unlock(&pty->tty.lock);
	if (n > 0)
		wake_up(&pty->tty.wait, EPOLLOUT | EPOLLWRNORM);
	return n;
}

static ssize_t master_write(struct file *file, struct iter *it, u64 *offset)
{
	struct pty *pty = file->private;
	ssize_t total = 0;
	while (it->remaining) {
		char buf[256];
		/* Only what the line discipline will take, because the iterator does not go back.
		 */
		mutex_lock(&pty->tty.lock);
		bool canonical = pty->tty.ld.termios.c_lflag & ICANON;
		size_t room = canonical ? sizeof(buf) : line_discipline_room(&pty->tty.ld);
		mutex_unlock(&pty->tty.lock);
		size_t n = MIN(room, sizeof(buf));
		n = MIN(n, it->remaining);
		if (!n)
			return total ? total : -EAGAIN;
		n = iter_copy_from(it, buf, n);
		if (!n)
			return total ? total : -EFAULT;
		total += (ssize_t)tty_receive(&pty->tty, buf, n);
	}
	return total;
}

static u32 master_ready(struct file *file)
{
	struct pty *pty = file->private;
	u32 events = 0;
	if (READ_ONCE(pty->output_head) != READ_ONCE(pty->output_tail))
		events |= EPOLLIN | EPOLLRDNORM;
	if (pty->packet_mode && pty->packet_events)
		events |= EPOLLPRI | EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(pty->slave_opened) && !READ_ONCE(pty->tty.open_count))
		events |= EPOLLHUP;
	if ((pty->tty.ld.termios.c_lflag & ICANON) || line_discipline_room(&pty->tty.ld))
		events |= EPOLLOUT | EPOLLWRNORM;
	return events;
}

static long set_packet_mode(struct pty *pty, const int __user *in)
{
	int on;
	if (get_user(on, in))
		return -EFAULT;
	mutex_lock(&pty->tty.lock);
	pty->packet_mode = on;
	pty->packet_events = 0;
	mutex_unlock(&pty->tty.lock);
	return 0;
}

static long set_lock(struct pty *pty, const int __user *in)
{
	int locked;
	if (get_user(locked, in))
		return -EFAULT;
	WRITE_ONCE(pty->slave_locked, locked != 0);
	return 0;
}

static long send_signal(struct pty *pty, unsigned long signo)
{
	if (signo != SIGINT && signo != SIGQUIT && signo != SIGTSTP)
		return -EINVAL;
	tty_signal_foreground(&pty->tty, (int)signo);
	return 0;
}

/* The name of the slave in the devpts that belongs to the master's ptmx: beside it, or in pts/ beside it. */
static int find_slave(const struct pty *pty, struct file *master, struct path *out)
{
	struct path ptmx = { master->mount, master->dentry }, dir, pts;
	char name[16];
	int err;

	(void)snprintf(name, sizeof(name), "%d", pty->index);
	path_parent(&ptmx, &dir);
	err = path_child(&dir, name, out);
	if (err && !path_child(&dir, "pts", &pts)) {
		err = path_child(&pts, name, out);
		path_put(&pts);
	}
	path_put(&dir);
	if (!err && (!S_ISCHR(out->dentry->inode->mode) ||
		     out->dentry->inode->device_number != pty->tty.device)) {
		path_put(out);
		err = -ENOENT;
	}
	return err;
}

/* TIOCGPTPEER: opens the slave whatever the caller may see of devpts. */
static long open_peer(struct pty *pty, struct file *master, unsigned long flags)
{
	struct file *slave;
	struct path path;
	int err = find_slave(pty, master, &path);

	if (err)
		return err;
	err = vfs_open_unchecked(&path, (u32)flags & (O_ACCMODE | O_NONBLOCK | O_NOCTTY), &slave);
	path_put(&path);
	if (err)
		return err;
	err = handle_install(current_task()->pool, &slave->object, file_rights((u32)flags),
			     flags & O_CLOEXEC ? HANDLE_CLOEXEC : 0, 0,
			     (unsigned)current_limit(RLIMIT_NOFILE));
	file_put(slave);
	return err;
}

static long master_ioctl(struct file *file, unsigned request, unsigned long argument)
{
	struct pty *pty = file->private;
	int __user *user = __force_user(int __user *, argument);
	switch (request) {
	case TIOCGPTN:
		return put_user((unsigned)pty->index, (unsigned __user *)user);
	case TIOCSPTLCK:
		return set_lock(pty, user);
	case TIOCGPTLCK:
		return put_user((int)pty->slave_locked, user);
	case TIOCPKT:
		return set_packet_mode(pty, user);
	case TIOCGPKT:
		return put_user((int)pty->packet_mode, user);
	case TIOCSIG:
		return send_signal(pty, argument);
	case TIOCGPTPEER:
		return open_peer(pty, file, argument);
	case FIONREAD:
		return put_user((int)pty_pending(&pty->tty), user);
	default:
		return tty_settings_of(&pty->tty, file, request, argument);
	}
}

static void master_destroy(struct file *file)
{
	struct pty *pty = file->private;
	mutex_lock(&pty->tty.lock);
	WRITE_ONCE(pty->tty.other_closed, true);
	mutex_unlock(&pty->tty.lock);
	wake_up(&pty->tty.wait, EPOLLHUP | EPOLLIN | EPOLLOUT);
	tty_hang_up(&pty->tty);
	tty_put(&pty->tty);
}

static const struct file_ops master_ops = {
	FILE_OPS_DEFAULTS,     .read = master_read,   .write = master_write,
	.ready = master_ready, .ioctl = master_ioctl, .destroy = master_destroy,
};

/* Pairs. */

static int pty_create(struct pty **out)
{
	struct pty *pty = kzalloc(sizeof(*pty), 0);
	if (!pty)
		return -ENOMEM;
	mutex_lock(&table_lock);
	int index = 0;
	while (index < PTY_MAX && table[index])
		index++;
	if (index < PTY_MAX) {
		char name[16];
		(void)snprintf(name, sizeof(name), "pts/%d", index);
		tty_init(&pty->tty, &pty_driver, name,
			 device_make(UNIX98_PTY_SLAVE_MAJOR, (u32)index));
		wait_queue_init(&pty->master_wait);
		pty->index = index;
		pty->slave_locked = true;
		pty->uid = current_credentials()->fsuid;
		pty->gid = PTY_GROUP;
		pty->mode = 0620;
		table[index] = pty;
	}
	mutex_unlock(&table_lock);
	if (index == PTY_MAX) {
		kfree(pty);
		return -ENOSPC;
	}
	*out = pty;
	return 0;
}

int pty_open_master(struct inode *inode, struct file *file)
{
	struct pty *pty;
	int err = pty_create(&pty);
	if (err)
		return err;
	file->ops = &master_ops;
	file->private = pty;
	file->mode |= FILE_MODE_STREAM | FILE_MODE_WRITE_ALL;
	file->object.waiters = &pty->master_wait;
	return 0;
}

int pty_open_slave(struct inode *inode, struct file *file)
{
	u32 index = device_minor(inode->device_number);
	struct pty *pty = nullptr;
	mutex_lock(&table_lock);
	if (index < PTY_MAX && table[index] && !READ_ONCE(table[index]->tty.other_closed)) {
		pty = table[index];
		tty_get(&pty->tty);
	}
	mutex_unlock(&table_lock);
	if (!pty)
		return -EIO;
	int err = READ_ONCE(pty->slave_locked) ? -EIO : tty_open(&pty->tty, file, false);
	tty_put(&pty->tty);
	return err;
}

int pty_next(int index)
{
	mutex_lock(&table_lock);
	while (index < PTY_MAX && !(table[index] && !READ_ONCE(table[index]->tty.other_closed)))
		index++;
	mutex_unlock(&table_lock);
	return index < PTY_MAX ? index : -1;
}

static bool exists_locked(int index) __must_hold(&table_lock)
{
	return index >= 0 && index < PTY_MAX && table[index] &&
	       !READ_ONCE(table[index]->tty.other_closed);
}

bool pty_attributes(int index, u32 *uid, u32 *gid, u32 *mode)
{
	mutex_guard(&table_lock);
	if (!exists_locked(index))
		return false;
	*uid = table[index]->uid;
	*gid = table[index]->gid;
	*mode = table[index]->mode;
	return true;
}

void pty_set_attributes(int index, u32 uid, u32 gid, u32 mode)
{
	mutex_guard(&table_lock);
	if (!exists_locked(index))
		return;
	table[index]->uid = uid;
	table[index]->gid = gid;
	table[index]->mode = mode;
}

void pty_init(void)
{
	mutex_init(&table_lock, RANK_DEVICE_LIST);
	slave_driver.device = device_make(UNIX98_PTY_SLAVE_MAJOR, 0);
	slave_driver.minors = PTY_MAX;
	device_register(&slave_driver);
}
