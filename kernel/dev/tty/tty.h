/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Terminals: a line discipline between a driver (serial port, pseudo terminal) and open files, with
 * job control (tty_ioctl(4), termios(3), credentials(7)).
 *
 * (T1) tty->lock guards the line discipline, buffers and settings. Signals are sent after it is
 * dropped, because sending takes process_table_lock, which ranks below. (T2) tty->session and
 * session->foreground change under process_table_lock. (T3) A hang-up raises tty->generation: files
 * opened before it read end of file and write -EIO.
 */
#pragma once

#include <core/lock.h>
#include <core/log.h>
#include <core/wait.h>
#include <core/work.h>
#include <dev/tty/line_discipline.h>
#include <obj/file.h>

#include <asm/termios.h>

struct session;
struct tty;

struct tty_driver {
	/* Bytes that `write` takes now without waiting. tty->lock held. */
	size_t (*write_room)(struct tty *tty);
	/* Sends at most write_room bytes; returns what was taken. tty->lock held; must not sleep
	 * long. */
	size_t (*write)(struct tty *tty, const char *text, size_t size);
	/* Settings changed (baud rate...). tty->lock held. May be null. */
	void (*set_termios)(struct tty *tty, const struct ktermios *old);
	/* Driver's own ioctls; -ENOTTY if unknown. No lock held. May be null. */
	long (*ioctl)(struct tty *tty, struct file *file, unsigned request, unsigned long argument);
	/* First open, last close, input room came back. tty->lock held. May be null. */
	void (*opened)(struct tty *tty);
	void (*closed)(struct tty *tty);
	void (*input_drained)(struct tty *tty);
	/* Bytes sent but not yet taken by the other side (TIOCOUTQ); may be null: none. */
	size_t (*pending)(struct tty *tty);
	/* Last reference gone. */
	void (*destroy)(struct tty *tty);
	/* The exit of its session leader only hangs up the foreground group: a pty, whose other side decides. */
	bool outlives_session;
};

struct tty {
	u32 refs;
	const struct tty_driver *driver;
	void *driver_data;
	u64 device;
	char name[16]; /* "ttyS0", "pts/3" */
	struct mutex lock;
	struct line_discipline ld;
	struct winsize window;
	struct session *session; /* controlled by it; (T2); borrowed, cleared by tty_session_exit */
	u32 generation;		 /* (T3) */
	unsigned open_count;	 /* files of the current generation */
	bool exclusive;		 /* TIOCEXCL */
	bool other_closed;	 /* pty: the master is gone */
	struct wait_queue wait;	 /* shared by all files: readable, writable, hang-up */
	/* Bytes that came in interrupt context, taken to the line discipline by `input_work`. */
	struct spinlock input_lock;
	u32 input_head, input_tail;
	char input_ring[1024];
	bool input_break;
	struct work input_work;
};

void tty_init(struct tty *tty, const struct tty_driver *driver, const char *name, u64 device);
void tty_get(struct tty *tty);
void tty_put(struct tty *tty); /* may sleep */

/* Bytes from the hardware. tty_receive_interrupt: any context, drops what does not fit.
 * tty_receive: thread context; returns how many were taken (less when the reader is slow and the
 * terminal is in raw mode). */
void tty_receive_interrupt(struct tty *tty, const char *text, size_t size);
void tty_receive_break(struct tty *tty);
size_t tty_receive(struct tty *tty, const char *text, size_t size);

/* Opens `tty` as `file`: sets ops and private; takes a reference; becomes the controlling terminal
 * of a session leader that has none, unless O_NOCTTY or `never_control`. -EIO, -EBUSY, -ENOMEM. */
[[nodiscard]] int tty_open(struct tty *tty, struct file *file, bool never_control);

/* The terminal behind an open file, or null. Borrowed from the file. */
struct tty *tty_of_file(struct file *file);

/* Ends all use of the terminal: SIGHUP and SIGCONT to its foreground group and session leader,
 * (T3). May sleep. */
void tty_hang_up(struct tty *tty);

/* Job control, tty_jobs.c. */
[[nodiscard]] int
tty_check_background(struct tty *tty,
		     int signo); /* 0, -EIO, -ERESTARTSYS after sending SIGTTIN/SIGTTOU */
void tty_signal_foreground(struct tty *tty, int signo);
void tty_take_control_at_open(struct tty *tty);
[[nodiscard]] long tty_job_ioctl(struct tty *tty, struct file *file, unsigned request,
				 unsigned long argument);
/* The controlling terminal of the current process, with a reference, or null. */
struct tty *tty_of_session(void);
void tty_session_exit(struct session *session); /* proc_hooks.session_exit */
/* Sends the signals that the line discipline collected. No lock held. */
void tty_send_signals(struct tty *tty, u32 signals);

/* tty_ioctl.c. */
[[nodiscard]] long tty_ioctl(struct file *file, unsigned request, unsigned long argument);

/* The ioctls that a pty master passes to its slave: settings, window, queues, job control. No lock
 * held. */
[[nodiscard]] long tty_settings_of(struct tty *tty, struct file *file, unsigned request,
				   unsigned long argument);

extern const struct file_ops tty_file_ops;

/* What an open tty file keeps. */
struct tty_open {
	struct tty *tty;
	u32 generation;
};
static inline bool tty_open_hung_up(const struct tty_open *o)
{
	return o->generation != READ_ONCE(o->tty->generation);
}

/* Writes processed output; used by write and echo. tty->lock held. Returns bytes of `text` taken.
 */
size_t tty_write_locked(struct tty *tty, const char *text, size_t size) __must_hold(&tty->lock);

/*
 * Serial ports and consoles. A port registers its tty under its name with its log console; console=
 * selects which print the log, the last one is /dev/console (the first registered without
 * console=).
 */
struct serial_port {
	struct tty tty;
	struct log_console log;
	bool is_console; /* the log is printed here */
	int line;
	unsigned irq;
	u64 base;
};
void console_register(struct serial_port *port);
/* dev/tty/console.c: /dev/console, /dev/tty, /dev/ptmx. Boot, after vfs_init. */
void tty_init_devices(void);
/* "ttyS0 " ... for /sys/class/tty/console/active, and /proc/consoles. */
int console_active_names(char *buf, size_t size);
