/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The line discipline.
 *
 * (L1) read <= committed <= head and head - read <= LINE_BUFFER_SIZE, as counters modulo 2^32.
 * (L2) In canonical mode committed is behind the last line end; in raw mode it equals head.
 * (L3) The bit in line_end of a byte is meaningful only while the byte lies in [read, head).
 */
#include <dev/tty/line_discipline.h>

#include <lib/errno.h>
#include <lib/string.h>
#include <mm/iter.h>

#define FLAG(ld, field, bit) (((ld)->termios.c_##field & (bit)) != 0)
#define DISABLED_CHAR '\0' /* _POSIX_VDISABLE */

static const cc_t default_control_chars[NCCS] = {
	[VINTR] = 3,	 [VQUIT] = 28,	 [VERASE] = 127, [VKILL] = 21, [VEOF] = 4, [VTIME] = 0,
	[VMIN] = 1,	 [VSTART] = 17,	 [VSTOP] = 19,	 [VSUSP] = 26, [VEOL] = 0, [VREPRINT] = 18,
	[VDISCARD] = 15, [VWERASE] = 23, [VLNEXT] = 22,	 [VEOL2] = 0,
};

void line_discipline_init(struct line_discipline *ld,
			  void (*echo)(struct line_discipline *ld, const char *text, size_t size))
{
	memset(ld, 0, sizeof(*ld));
	ld->echo = echo;
	ld->termios.c_iflag = ICRNL | IXON;
	ld->termios.c_oflag = OPOST | ONLCR;
	ld->termios.c_cflag = B38400 | CS8 | CREAD | HUPCL;
	ld->termios.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN;
	ld->termios.c_ispeed = 38400;
	ld->termios.c_ospeed = 38400;
	memcpy(ld->termios.c_cc, default_control_chars, sizeof(default_control_chars));
}

static bool is_control_char(const struct line_discipline *ld, unsigned index, unsigned char c)
{
	return ld->termios.c_cc[index] == c && c != DISABLED_CHAR;
}

static char *byte_at(struct line_discipline *ld, u32 position)
{
	return &ld->buffer[position % LINE_BUFFER_SIZE];
}

static bool ends_line(const struct line_discipline *ld, u32 position)
{
	u32 i = position % LINE_BUFFER_SIZE;
	return ld->line_end[i / 64] >> (i % 64) & 1;
}

static void mark_line_end(struct line_discipline *ld, u32 position, bool end)
{
	u32 i = position % LINE_BUFFER_SIZE;
	if (end)
		ld->line_end[i / 64] |= BIT(i % 64);
	else
		ld->line_end[i / 64] &= ~BIT(i % 64);
}

size_t line_discipline_room(const struct line_discipline *ld)
{
	return LINE_BUFFER_SIZE - (ld->head - ld->read);
}

/* Echo */

static void echo_raw(struct line_discipline *ld, const char *text, size_t size)
{
	ld->echo(ld, text, size);
}

static void echo_processed(struct line_discipline *ld, char c)
{
	char out[8];
	size_t consumed;
	size_t n = line_discipline_output(ld, &c, 1, out, sizeof(out), &consumed);
	echo_raw(ld, out, n);
}

static bool shows_as_caret(const struct line_discipline *ld, unsigned char c)
{
	return FLAG(ld, lflag, ECHOCTL) && (c < 32 || c == 127) && c != '\t' && c != '\n';
}

static void echo_char(struct line_discipline *ld, unsigned char c)
{
	if (shows_as_caret(ld, c)) {
		char caret[2] = { '^', (char)(c ^ 0x40) };
		echo_raw(ld, caret, 2);
		ld->column += 2;
		return;
	}
	echo_processed(ld, (char)c);
}

static bool is_utf8_continuation(const struct line_discipline *ld, unsigned char c)
{
	return FLAG(ld, iflag, IUTF8) && (c & 0xc0) == 0x80;
}

/* Columns that the line being edited takes on the screen up to `end`. */
static u32 column_at(struct line_discipline *ld, u32 end)
{
	u32 column = ld->line_column;
	for (u32 p = ld->committed; p != end; p++) {
		unsigned char c = (unsigned char)*byte_at(ld, p);
		if (c == '\t')
			column = (column | 7) + 1;
		else if (shows_as_caret(ld, c))
			column += 2;
		else if (c >= 32 && !is_utf8_continuation(ld, c))
			column++;
	}
	return column;
}

static void rub_out(struct line_discipline *ld, u32 columns)
{
	for (u32 i = 0; i < columns; i++) {
		echo_raw(ld, "\b \b", 3);
		if (ld->column > 0)
			ld->column--;
	}
}

/* Editing */

static void begin_line_if_empty(struct line_discipline *ld)
{
	if (ld->head == ld->committed)
		ld->line_column = ld->column;
}

/* Removes the last character of the line being edited; returns it. The line is not empty. */
static unsigned char erase_one(struct line_discipline *ld)
{
	u32 before = column_at(ld, ld->head);
	unsigned char c;
	do {
		ld->head--;
		c = (unsigned char)*byte_at(ld, ld->head);
	} while (is_utf8_continuation(ld, c) && ld->head != ld->committed);
	if (!FLAG(ld, lflag, ECHO))
		return c;
	if (!FLAG(ld, lflag, ECHOE)) {
		echo_char(ld, ld->termios.c_cc[VERASE]);
		return c;
	}
	u32 after = column_at(ld, ld->head);
	if (c == '\t') {
		for (u32 i = after; i < before; i++)
			echo_raw(ld, "\b", 1);
		ld->column = after;
	} else {
		rub_out(ld, before - after);
	}
	return c;
}

static void erase_line(struct line_discipline *ld)
{
	if (FLAG(ld, lflag, ECHO) &&
	    !(FLAG(ld, lflag, ECHOK) && FLAG(ld, lflag, ECHOKE) && FLAG(ld, lflag, ECHOE))) {
		ld->head = ld->committed;
		echo_char(ld, ld->termios.c_cc[VKILL]);
		if (FLAG(ld, lflag, ECHOK))
			echo_processed(ld, '\n');
		return;
	}
	while (ld->head != ld->committed)
		(void)erase_one(ld);
}

static bool is_word_char(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_' || c >= 0x80;
}

static void erase_word(struct line_discipline *ld)
{
	bool seen = false;
	while (ld->head != ld->committed) {
		unsigned char c = (unsigned char)*byte_at(ld, ld->head - 1);
		if (is_word_char(c))
			seen = true;
		else if (seen)
			break;
		(void)erase_one(ld);
	}
}

static void reprint(struct line_discipline *ld)
{
	echo_char(ld, ld->termios.c_cc[VREPRINT]);
	echo_processed(ld, '\n');
	ld->line_column = 0;
	for (u32 p = ld->committed; p != ld->head; p++)
		echo_char(ld, (unsigned char)*byte_at(ld, p));
}

static void commit_line(struct line_discipline *ld, unsigned char c)
{
	*byte_at(ld, ld->head) = (char)c;
	mark_line_end(ld, ld->head, true);
	ld->head++;
	ld->committed = ld->head;
}

static void append(struct line_discipline *ld, unsigned char c)
{
	/* The last place is kept for the end of the line, or a full buffer could never be read. */
	if (line_discipline_room(ld) <= (FLAG(ld, lflag, ICANON) ? 1u : 0u)) {
		if (FLAG(ld, iflag, IMAXBEL))
			echo_raw(ld, "\a", 1);
		return;
	}
	begin_line_if_empty(ld);
	if (FLAG(ld, lflag, ECHO))
		echo_char(ld, c);
	*byte_at(ld, ld->head) = (char)c;
	mark_line_end(ld, ld->head, false);
	ld->head++;
	if (!FLAG(ld, lflag, ICANON))
		ld->committed = ld->head;
}

/* True if `c` was an editing or line-ending character of canonical mode. */
static bool receive_canonical(struct line_discipline *ld, unsigned char c)
{
	bool extended = FLAG(ld, lflag, IEXTEN);
	if (is_control_char(ld, VERASE, c)) {
		if (ld->head != ld->committed)
			(void)erase_one(ld);
		return true;
	}
	if (is_control_char(ld, VKILL, c)) {
		erase_line(ld);
		return true;
	}
	if (extended && is_control_char(ld, VWERASE, c)) {
		erase_word(ld);
		return true;
	}
	if (extended && is_control_char(ld, VREPRINT, c) && FLAG(ld, lflag, ECHO)) {
		reprint(ld);
		return true;
	}
	if (is_control_char(ld, VEOF, c)) {
		/* Stored as a disabled character, so that read() knows to drop it. */
		commit_line(ld, DISABLED_CHAR);
		return true;
	}
	bool newline = c == '\n';
	if (newline || is_control_char(ld, VEOL, c) ||
	    (extended && is_control_char(ld, VEOL2, c))) {
		if (newline ? FLAG(ld, lflag, ECHO) || FLAG(ld, lflag, ECHONL)
			    : FLAG(ld, lflag, ECHO))
			echo_char(ld, c);
		commit_line(ld, c);
		return true;
	}
	return false;
}

static bool receive_signal(struct line_discipline *ld, unsigned char c)
{
	int signo = is_control_char(ld, VINTR, c)   ? SIGINT
		    : is_control_char(ld, VQUIT, c) ? SIGQUIT
		    : is_control_char(ld, VSUSP, c) ? SIGTSTP
						    : 0;
	if (!signo)
		return false;
	if (!FLAG(ld, lflag, NOFLSH))
		line_discipline_flush_input(ld);
	if (FLAG(ld, iflag, IXON))
		ld->stopped = false;
	if (FLAG(ld, lflag, ECHO))
		echo_char(ld, c);
	ld->signals |= 1u << signo;
	return true;
}

static bool receive_flow_control(struct line_discipline *ld, unsigned char c)
{
	bool start = is_control_char(ld, VSTART, c);
	bool stop = is_control_char(ld, VSTOP, c);
	if (!start && !stop)
		return false;
	/* With VSTART equal to VSTOP the character toggles. */
	ld->stopped = stop && !(start && ld->stopped);
	ld->packet_flow = true;
	return true;
}

void line_discipline_receive(struct line_discipline *ld, unsigned char c)
{
	if (FLAG(ld, iflag, ISTRIP))
		c &= 0x7f;
	if (FLAG(ld, iflag, IUCLC) && FLAG(ld, lflag, IEXTEN) && c >= 'A' && c <= 'Z')
		c |= 0x20;
	if (ld->literal_next) {
		ld->literal_next = false;
		append(ld, c);
		return;
	}
	if (FLAG(ld, iflag, IXON) && receive_flow_control(ld, c))
		return;
	if (FLAG(ld, lflag, ISIG) && receive_signal(ld, c))
		return;
	if (ld->stopped && FLAG(ld, iflag, IXON) && FLAG(ld, iflag, IXANY))
		ld->stopped = false;
	if (c == '\r') {
		if (FLAG(ld, iflag, IGNCR))
			return;
		if (FLAG(ld, iflag, ICRNL))
			c = '\n';
	} else if (c == '\n' && FLAG(ld, iflag, INLCR)) {
		c = '\r';
	}
	if (FLAG(ld, lflag, ICANON)) {
		if (FLAG(ld, lflag, IEXTEN) && is_control_char(ld, VLNEXT, c)) {
			ld->literal_next = true;
			if (FLAG(ld, lflag, ECHO) && FLAG(ld, lflag, ECHOCTL))
				echo_raw(ld, "^\b", 2);
			return;
		}
		if (receive_canonical(ld, c))
			return;
	}
	append(ld, c);
}

void line_discipline_break(struct line_discipline *ld)
{
	if (FLAG(ld, iflag, IGNBRK))
		return;
	if (FLAG(ld, iflag, BRKINT)) {
		line_discipline_flush_input(ld);
		ld->signals |= 1u << SIGINT;
		return;
	}
	append(ld, '\0');
}

/* Reading */

size_t line_discipline_available(const struct line_discipline *ld)
{
	return ld->committed - ld->read;
}

bool line_discipline_readable(const struct line_discipline *ld)
{
	return ld->committed != ld->read;
}

/* Length of the run from `read` that one copy may take; *skip: an end-of-file mark follows and is
 * dropped. */
static size_t next_run(const struct line_discipline *ld, size_t wanted, bool *skip, bool *line_done)
{
	u32 available = ld->committed - ld->read;
	u32 to_edge = LINE_BUFFER_SIZE - ld->read % LINE_BUFFER_SIZE;
	size_t limit = MIN(available, to_edge);
	limit = MIN(limit, wanted);
	*skip = false;
	*line_done = false;
	if (!FLAG(ld, lflag, ICANON))
		return limit;
	for (size_t i = 0; i < limit; i++) {
		u32 p = ld->read + (u32)i;
		if (!ends_line(ld, p))
			continue;
		*line_done = true;
		*skip = ld->buffer[p % LINE_BUFFER_SIZE] == DISABLED_CHAR;
		return *skip ? i : i + 1;
	}
	return limit;
}

ssize_t line_discipline_read(struct line_discipline *ld, struct iter *it)
{
	ssize_t total = 0;
	while (it->remaining && ld->read != ld->committed) {
		bool skip, line_done;
		size_t run = next_run(ld, it->remaining, &skip, &line_done);
		size_t copied = run ? iter_copy_to(it, byte_at(ld, ld->read), run) : 0;
		ld->read += (u32)copied;
		total += (ssize_t)copied;
		if (copied < run)
			return total ? total : -EFAULT;
		if (skip)
			ld->read++;
		if (line_done)
			return total;
	}
	/* An end-of-file mark directly behind what was read belongs to it, or it would end the next
	 * read too. */
	if (total && FLAG(ld, lflag, ICANON) && ld->read != ld->committed &&
	    ends_line(ld, ld->read) && *byte_at(ld, ld->read) == DISABLED_CHAR)
		ld->read++;
	return total;
}

/* Output */

static size_t output_char(struct line_discipline *ld, char c, char out[8])
{
	switch (c) {
	case '\n':
		if (FLAG(ld, oflag, ONLRET))
			ld->column = 0;
		if (FLAG(ld, oflag, ONLCR)) {
			ld->column = 0;
			out[0] = '\r';
			out[1] = '\n';
			return 2;
		}
		break;
	case '\r':
		if (FLAG(ld, oflag, ONOCR) && ld->column == 0)
			return 0;
		if (FLAG(ld, oflag, OCRNL)) {
			if (FLAG(ld, oflag, ONLRET))
				ld->column = 0;
			c = '\n';
			break;
		}
		ld->column = 0;
		break;
	case '\t': {
		u32 spaces = 8 - (ld->column & 7);
		ld->column += spaces;
		if ((ld->termios.c_oflag & TABDLY) == XTABS) {
			memset(out, ' ', spaces);
			return spaces;
		}
		break;
	}
	case '\b':
		if (ld->column > 0)
			ld->column--;
		break;
	default:
		if (FLAG(ld, oflag, OLCUC) && c >= 'a' && c <= 'z')
			c = (char)(c - 32);
		if ((unsigned char)c >= 32 && !is_utf8_continuation(ld, (unsigned char)c))
			ld->column++;
	}
	out[0] = c;
	return 1;
}

size_t line_discipline_output(struct line_discipline *ld, const char *in, size_t size, char *out,
			      size_t out_size, size_t *consumed)
{
	if (!FLAG(ld, oflag, OPOST)) {
		*consumed = MIN(size, out_size);
		memcpy(out, in, *consumed);
		return *consumed;
	}
	size_t produced = 0, i = 0;
	while (i < size && out_size - produced >= 8)
		produced += output_char(ld, in[i++], out + produced);
	*consumed = i;
	return produced;
}

void line_discipline_flush_input(struct line_discipline *ld)
{
	ld->read = ld->committed = ld->head;
	ld->literal_next = false;
}

void line_discipline_set(struct line_discipline *ld, const struct ktermios *termios)
{
	bool was_canonical = FLAG(ld, lflag, ICANON);
	ld->termios = *termios;
	if (!FLAG(ld, iflag, IXON))
		ld->stopped = false;
	if (was_canonical == FLAG(ld, lflag, ICANON))
		return;
	if (was_canonical) {
		/* End-of-file marks have no meaning in raw mode, and an unfinished line becomes
		 * readable. */
		ld->committed = ld->head;
		memset(ld->line_end, 0, sizeof(ld->line_end));
	} else if (ld->head != ld->read) {
		/* What was typed in raw mode counts as one line that is complete. */
		mark_line_end(ld, ld->head - 1, true);
		ld->committed = ld->head;
	}
	ld->literal_next = false;
}
