/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel log.
 *
 * A ring of bytes holds the records, an index holds the place of each of the last LOG_RECORDS
 * sequence numbers. A new record pushes out the oldest until both have room. log_lock guards ring
 * and index and is a leaf: the log may be written anywhere.
 *
 * Consoles are fed by whoever gets console_lock with a trylock; a record that comes meanwhile is
 * seen by the holder, who looks again after letting go. Until a console registers, text goes to
 * arch_early_putc. Readers are woken directly where that is safe, else by the next interrupt exit
 * or idle loop (log_wake_readers): the caller may hold a run queue.
 */
#include <arch/boot.h>
#include <core/irq.h>
#include <core/lock.h>
#include <core/log.h>
#include <core/time.h>
#include <core/wait.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>

#define LOG_RECORDS 1024u /* a power of two */
#define TEXT_MAX sizeof(((struct log_record *)0)->text)

/* In front of each text in the ring. */
struct header {
	u64 time_ns;
	u16 size;
	u8 level, facility;
	u32 unused;
};

u32 log_restricted = 1;
unsigned log_console_level = LOG_DEBUG;
struct wait_queue log_readers = WAIT_QUEUE_INIT(log_readers);

static struct spinlock log_lock = SPINLOCK_INIT(RANK_LOG);
static char ring[LOG_BUFFER_SIZE] __aligned(8) __guarded_by(&log_lock);
static u64 places[LOG_RECORDS] __guarded_by(&log_lock); /* byte positions, ever growing */
static u64 first_sequence __guarded_by(&log_lock);
static u64 next_sequence __guarded_by(&log_lock);
static u64 next_place __guarded_by(&log_lock);

static struct spinlock console_lock = SPINLOCK_INIT(RANK_CONSOLE);
static struct log_console *consoles __guarded_by(&console_lock);
static u64 console_sequence __guarded_by(&console_lock); /* next that no console has seen */
static char console_text[TEXT_MAX + 64] __guarded_by(&console_lock);
static struct log_record console_record __guarded_by(&console_lock);

static bool readers_due; /* atomic: records came that readers were not woken for */
static bool in_panic;

static void ring_copy_in(u64 place, const void *from, size_t n) __must_hold(&log_lock)
{
	size_t at = place & (LOG_BUFFER_SIZE - 1), first = MIN(n, LOG_BUFFER_SIZE - at);

	memcpy(ring + at, from, first);
	memcpy(ring, (const char *)from + first, n - first);
}

static void ring_copy_out(void *to, u64 place, size_t n) __must_hold(&log_lock)
{
	size_t at = place & (LOG_BUFFER_SIZE - 1), first = MIN(n, LOG_BUFFER_SIZE - at);

	memcpy(to, ring + at, first);
	memcpy((char *)to + first, ring, n - first);
}

static void append_locked(enum log_level level, unsigned facility, const char *text, size_t size)
	__must_hold(&log_lock)
{
	struct header h = { clock_monotonic_ns(), (u16)size, (u8)level, (u8)facility, 0 };
	u64 end = next_place + sizeof(h) + size;

	while (first_sequence < next_sequence &&
	       (next_sequence - first_sequence >= LOG_RECORDS ||
		end - places[first_sequence % LOG_RECORDS] > LOG_BUFFER_SIZE))
		first_sequence++;
	ring_copy_in(next_place, &h, sizeof(h));
	ring_copy_in(next_place + sizeof(h), text, size);
	places[next_sequence % LOG_RECORDS] = next_place;
	next_place = end;
	next_sequence++;
}

static int read_locked(u64 sequence, struct log_record *out) __must_hold(&log_lock)
{
	struct header h;
	u64 place;

	if (sequence < first_sequence)
		sequence = first_sequence;
	if (sequence >= next_sequence)
		return -EAGAIN;
	place = places[sequence % LOG_RECORDS];
	ring_copy_out(&h, place, sizeof(h));
	out->sequence = sequence;
	out->time_ns = h.time_ns;
	out->level = h.level;
	out->facility = h.facility;
	out->size = h.size;
	ring_copy_out(out->text, place + sizeof(h), h.size);
	return 0;
}

u64 log_next_sequence(void)
{
	irqflags_t flags = spin_lock_irqsave(&log_lock);
	u64 next = next_sequence;
	spin_unlock_irqrestore(&log_lock, flags);
	return next;
}

int log_read(u64 sequence, struct log_record *out)
{
	irqflags_t flags = spin_lock_irqsave(&log_lock);
	int r = read_locked(sequence, out);

	spin_unlock_irqrestore(&log_lock, flags);
	return r;
}

static void early_write(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n')
			arch_early_putc('\r');
		arch_early_putc(text[i]);
	}
}

static size_t render(const struct log_record *r, char *out, size_t size)
{
	int n = scnprintf(
		out, size, "[%5llu.%06llu] %.*s\n", (unsigned long long)(r->time_ns / NSEC_PER_SEC),
		(unsigned long long)(r->time_ns % NSEC_PER_SEC / 1000), (int)r->size, r->text);

	return (size_t)n;
}

/* Prints a record from *sequence on to a console (null: the early one); false when there is none.
 */
static bool print_one(struct log_console *console, u64 *sequence) __must_hold(&console_lock)
{
	size_t n;

	if (log_read(*sequence, &console_record))
		return false;
	__atomic_store_n(sequence, console_record.sequence + 1, __ATOMIC_RELAXED);
	if (console_record.level > log_console_level)
		return true;
	n = render(&console_record, console_text, sizeof(console_text));
	if (console)
		console->write(console, console_text, n);
	else
		early_write(console_text, n);
	return true;
}

static void print_all(void) __must_hold(&console_lock)
{
	if (!consoles)
		while (print_one(nullptr, &console_sequence))
			;
	for (struct log_console *c = consoles; c; c = c->next)
		while (print_one(c, &c->sequence))
			console_sequence = MAX(console_sequence, c->sequence);
}

static bool all_printed(void) __no_lock_analysis /* reads one word without console_lock */
{
	irqflags_t flags = spin_lock_irqsave(&log_lock);
	bool done = __atomic_load_n(&console_sequence, __ATOMIC_RELAXED) >= next_sequence;

	spin_unlock_irqrestore(&log_lock, flags);
	return done;
}

/* The trylock keeps the analysis from following. */
static void feed_consoles(void) __no_lock_analysis
{
	do {
		irqflags_t flags = arch_irq_save();

		if (!spin_trylock(&console_lock)) {
			arch_irq_restore(flags);
			return; /* the holder prints our record */
		}
		print_all();
		spin_unlock(&console_lock);
		arch_irq_restore(flags);
	} while (!all_printed());
}

void log_wake_readers(void)
{
	if (!__atomic_load_n(&readers_due, __ATOMIC_RELAXED))
		return;
	__atomic_store_n(&readers_due, false, __ATOMIC_RELAXED);
	wake_up(&log_readers, 0);
}

static void add(enum log_level level, unsigned facility, const char *text, size_t size)
{
	irqflags_t flags = spin_lock_irqsave(&log_lock);

	append_locked(level, facility, text, MIN(size, TEXT_MAX));
	spin_unlock_irqrestore(&log_lock, flags);
	feed_consoles();
	if (in_panic)
		return;
	__atomic_store_n(&readers_due, true, __ATOMIC_RELAXED);
	if (!current_base()->preempt_count && arch_irq_enabled())
		log_wake_readers();
}

void log_write(enum log_level level, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	add(level, 0, text, MIN((size_t)n, sizeof(text) - 1));
}

void log_write_user(enum log_level level, unsigned facility, const char *text, size_t size)
{
	add(level, facility, text, size);
}

void log_console_register(struct log_console *console)
{
	irqflags_t flags = spin_lock_irqsave(&console_lock);

	/* The first one takes over from the early console, which has shown the records so far. */
	console->sequence = consoles ? 0 : console_sequence;
	console->next = consoles;
	consoles = console;
	spin_unlock_irqrestore(&console_lock, flags);
	feed_consoles();
}

/* Only one CPU still runs: locks that others hold will never be released. */
void log_enter_panic(void) __no_lock_analysis
{
	in_panic = true;
	log_console_level = LOG_DEBUG; /* whatever somebody did not want to see before */
	lock_debug_disable();
	log_lock.word = 0;
	console_lock.word = 0;
}
