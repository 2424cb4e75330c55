/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/irq: which CPUs serve which interrupt (proc(5)). */
#include <fs/proc/system_priv.h>

#include <core/irq.h>
#include <core/percpu.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>

#define KEY_IRQ 0

static u64 default_mask =
	UINT64_MAX; /* for interrupts to come, as on Linux: it is kept, and shown */

static unsigned irq_of(const struct synthetic_node *node)
{
	return (unsigned)node->key[KEY_IRQ];
}

static void show_mask(struct text_buffer *out, u64 mask)
{
	unsigned digits = (arch_cpu_count() + 3) / 4;

	mask &= cpu_online_mask;
	if (digits > 8)
		text_printf(out, "%0*x,", (int)digits - 8, (unsigned)(mask >> 32));
	text_printf(out, "%0*x\n", (int)MIN(digits, 8u), (unsigned)mask);
}

static void show_list(struct text_buffer *out, u64 mask)
{
	text_bit_list(out, mask & cpu_online_mask);
	text_printf(out, "\n");
}

/* Hexadecimal digits, in groups of 32 bits with commas between them. */
static int parse_mask(const char *text, u64 *mask)
{
	*mask = 0;
	if (!*text || *text == '\n')
		return -EINVAL;
	for (; *text && *text != '\n'; text++) {
		char c = *text | ('a' & ~'A');
		unsigned digit = c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);

		if (*text == ',')
			continue;
		if (digit > 15 || *mask >> 60)
			return -EINVAL;
		*mask = *mask << 4 | digit;
	}
	return 0;
}

static int parse_cpu(const char **text, unsigned *cpu)
{
	const char *c = *text;

	if (*c < '0' || *c > '9')
		return -EINVAL;
	for (*cpu = 0; *c >= '0' && *c <= '9' && *cpu < CPU_MAX; c++)
		*cpu = *cpu * 10 + (unsigned)(*c - '0');
	*text = c;
	return *cpu < CPU_MAX ? 0 : -EINVAL;
}

/* "0-3,5" */
static int parse_list(const char *text, u64 *mask)
{
	*mask = 0;
	while (*text && *text != '\n') {
		unsigned first, last;
		int err = parse_cpu(&text, &first);

		last = first;
		if (!err && *text == '-') {
			text++;
			err = parse_cpu(&text, &last);
		}
		if (err || first > last)
			return -EINVAL;
		for (; first <= last; first++)
			*mask |= BIT(first);
		if (*text == ',')
			text++;
		else if (*text && *text != '\n')
			return -EINVAL;
	}
	return 0;
}

static int mask_show(const struct synthetic_node *node, struct text_buffer *out)
{
	show_mask(out, irq_affinity(irq_of(node)));
	return 0;
}

static int list_show(const struct synthetic_node *node, struct text_buffer *out)
{
	show_list(out, irq_affinity(irq_of(node)));
	return 0;
}

static int mask_store(const struct synthetic_node *node, char *text, size_t size)
{
	u64 mask;
	int err = parse_mask(text, &mask);

	return err ? err : irq_set_affinity(irq_of(node), mask);
}

static int list_store(const struct synthetic_node *node, char *text, size_t size)
{
	u64 mask;
	int err = parse_list(text, &mask);

	return err ? err : irq_set_affinity(irq_of(node), mask);
}

static int effective_mask_show(const struct synthetic_node *node, struct text_buffer *out)
{
	show_mask(out, BIT(irq_target(irq_of(node))));
	return 0;
}

static int effective_list_show(const struct synthetic_node *node, struct text_buffer *out)
{
	show_list(out, BIT(irq_target(irq_of(node))));
	return 0;
}

static int hint_show(const struct synthetic_node *node, struct text_buffer *out)
{
	show_mask(out, 0);
	return 0;
}

static int node_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "0\n");
	return 0;
}

/* A line that nobody admits to is masked at once. */
static int spurious_show(const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "count 0\nunhandled 0\nlast_unhandled 0 ms\n");
	return 0;
}

static bool is_there(const struct synthetic_node *node)
{
	return irq_name(irq_of(node));
}

#define IRQ_FILE(symbol, file_mode, show_function, store_function)                                 \
	static const struct synthetic_type symbol = { .mode = S_IFREG | (file_mode),               \
						      .show = show_function,                       \
						      .store = store_function,                     \
						      .valid = is_there }
IRQ_FILE(mask_file, 0644, mask_show, mask_store);
IRQ_FILE(list_file, 0644, list_show, list_store);
IRQ_FILE(effective_mask_file, 0444, effective_mask_show, nullptr);
IRQ_FILE(effective_list_file, 0444, effective_list_show, nullptr);
IRQ_FILE(hint_file, 0444, hint_show, nullptr);
IRQ_FILE(node_file, 0444, node_show, nullptr);
IRQ_FILE(spurious_file, 0444, spurious_show, nullptr);

static const struct synthetic_named names[] = {
	{ "affinity_hint", &hint_file, nullptr },
	{ "effective_affinity", &effective_mask_file, nullptr },
	{ "effective_affinity_list", &effective_list_file, nullptr },
	{ "node", &node_file, nullptr },
	{ "smp_affinity", &mask_file, nullptr },
	{ "smp_affinity_list", &list_file, nullptr },
	{ "spurious", &spurious_file, nullptr },
};
static const struct synthetic_table table = SYNTHETIC_TABLE(names);

static const struct synthetic_type irq_directory = {
	.mode = S_IFDIR | 0555,
	.lookup = synthetic_table_lookup,
	.next = synthetic_table_next,
	.valid = is_there,
};

static int default_show(const struct synthetic_node *node, struct text_buffer *out)
{
	show_mask(out, READ_ONCE(default_mask));
	return 0;
}

static int default_store(const struct synthetic_node *node, char *text, size_t size)
{
	u64 mask;
	int err = parse_mask(text, &mask);

	if (err || !(mask & cpu_online_mask))
		return -EINVAL;
	WRITE_ONCE(default_mask, mask);
	return 0;
}

static const struct synthetic_type default_file = { .mode = S_IFREG | 0644,
						    .show = default_show,
						    .store = default_store };
#define DEFAULT_NAME "default_smp_affinity"

static void irq_node(unsigned irq, struct synthetic_node *out)
{
	*out = (struct synthetic_node){ .type = &irq_directory,
					.data = &table,
					.key = { [KEY_IRQ] = irq } };
}

static int directory_lookup(const struct synthetic_node *dir, const char *name,
			    struct synthetic_node *out)
{
	u64 irq;

	if (strcmp(name, DEFAULT_NAME) == 0) {
		*out = (struct synthetic_node){ .type = &default_file };
		return 0;
	}
	if (name[0] < '0' || name[0] > '9' || (name[0] == '0' && name[1]) ||
	    parse_u64(name, 10, &irq) || irq >= IRQ_COUNT || !irq_name((unsigned)irq))
		return -ENOENT;
	irq_node((unsigned)irq, out);
	return 0;
}

static bool directory_next(const struct synthetic_node *dir, u64 *cursor, char *name,
			   struct synthetic_node *out)
{
	for (; *cursor < IRQ_COUNT; ++*cursor) {
		unsigned irq = (unsigned)*cursor;

		if (!irq_name(irq))
			continue;
		++*cursor;
		(void)snprintf(name, NAME_MAX + 1, "%u", irq);
		irq_node(irq, out);
		return true;
	}
	if (*cursor > IRQ_COUNT)
		return false;
	++*cursor;
	(void)string_copy(name, DEFAULT_NAME, NAME_MAX + 1);
	*out = (struct synthetic_node){ .type = &default_file };
	return true;
}

const struct synthetic_type proc_irq_directory = {
	.mode = S_IFDIR | 0555,
	.lookup = directory_lookup,
	.next = directory_next,
};
