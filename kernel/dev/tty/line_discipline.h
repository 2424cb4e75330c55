/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The terminal line discipline (termios(3)): what happens between the bytes of a line and the bytes
 * that programs read and write. No locking, no devices: the owner (struct tty) holds a lock and
 * supplies the output function, so that the host tests can run it as it is.
 */
#pragma once

#include <lib/types.h>

#include <asm/signal.h>
#include <asm/termbits.h>

struct iter;

#define LINE_BUFFER_SIZE 4096 /* as N_TTY: the longest canonical line is one less */

struct line_discipline {
	struct ktermios termios;
	/* Positions count bytes for ever and are taken modulo the buffer size. read <= committed <=
	 * head. */
	u32 head;      /* next byte goes here */
	u32 committed; /* bytes before it may be read in canonical mode */
	u32 read;
	char buffer[LINE_BUFFER_SIZE];
	u64 line_end[LINE_BUFFER_SIZE /
		     64];  /* this byte ends a line; with an EOF character it is not delivered */
	u32 column;	   /* of the cursor, for tabs and ONOCR */
	u32 line_column;   /* where the line being edited began */
	bool literal_next; /* VLNEXT was typed */
	bool stopped;	   /* output is held by VSTOP or TCOOFF */
	bool packet_flow;  /* `stopped` changed: for packet mode */
	void (*echo)(struct line_discipline *ld, const char *text, size_t size);
	u32 signals; /* bit n: signal n is due to the foreground group; the owner sends and clears
		      */
};

/* Linux's settings of a fresh terminal. */
void line_discipline_init(struct line_discipline *ld,
			  void (*echo)(struct line_discipline *ld, const char *text, size_t size));

/* One byte from the line. Updates buffer, echo, `stopped` and `signals`. */
void line_discipline_receive(struct line_discipline *ld, unsigned char c);

/* A break condition on the line (BRKINT, IGNBRK). */
void line_discipline_break(struct line_discipline *ld);

/* Bytes that a read may have now (canonical: in complete lines). An EOF at the start of a line
 * counts as readable. */
bool line_discipline_readable(const struct line_discipline *ld);
size_t line_discipline_available(const struct line_discipline *ld);
/* Free space; input is dropped with a bell when there is none (IMAXBEL). */
size_t line_discipline_room(const struct line_discipline *ld);

/*
 * Copies to the iterator: canonical mode at most one line, else what is there. Returns bytes (0:
 * end of file), or -EFAULT.
 */
[[nodiscard]] ssize_t line_discipline_read(struct line_discipline *ld, struct iter *it);

/*
 * Output processing: translates from `in` to `out`, as much as fits. Returns bytes produced;
 * *consumed tells how much of `in` was taken.
 */
size_t line_discipline_output(struct line_discipline *ld, const char *in, size_t size, char *out,
			      size_t out_size, size_t *consumed);

/* New settings; switching canonical mode keeps what was typed readable, as Linux does. */
void line_discipline_set(struct line_discipline *ld, const struct ktermios *termios);

void line_discipline_flush_input(struct line_discipline *ld);
