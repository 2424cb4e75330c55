/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel command line. */
#include <arch/boot.h>
#include <core/command_line.h>
#include <core/log.h>
#include <lib/errno.h>
#include <lib/string.h>

extern const struct kernel_parameter __kernel_parameters_start[], __kernel_parameters_end[];

#define WORDS_MAX 32

const char *init_arguments[WORDS_MAX + 1];
const char *init_environment[WORDS_MAX + 1] = { "HOME=/", "TERM=linux" };

static char words[BOOT_COMMAND_LINE_MAX]; /* the line, cut into words with their quotes removed */
static unsigned argument_count, environment_count = 2;

const char *command_line_text(void)
{
	return boot_info.command_line;
}

static int set_loglevel(const char *value)
{
	u64 level;
	int r = parse_u64(value, 10, &level);

	/* Linux counts the levels below the number, so loglevel=0 shows none but its panics. */
	if (!r)
		log_console_level = level > 8 ? LOG_DEBUG : level ? (unsigned)level - 1 : 0;
	return r;
}
KERNEL_PARAMETER("loglevel=", set_loglevel);

static int set_quiet(const char *value)
{
	(void)value;
	log_console_level = LOG_ERROR;
	return 0;
}
KERNEL_PARAMETER("quiet", set_quiet);

static int set_debug(const char *value)
{
	(void)value;
	log_console_level = LOG_DEBUG;
	return 0;
}
KERNEL_PARAMETER("debug", set_debug);

/* Cuts the next word off *at, removing quotes; null at the end of the line. */
static char *next_word(char **at)
{
	char *from = *at, *to, *word;
	bool quoted = false;

	while (*from == ' ' || *from == '\t' || *from == '\n')
		from++;
	if (!*from)
		return nullptr;
	word = to = from;
	for (; *from && (quoted || (*from != ' ' && *from != '\t' && *from != '\n')); from++) {
		if (*from == '"')
			quoted = !quoted;
		else
			*to++ = *from;
	}
	*at = *from ? from + 1 : from;
	*to = 0;
	return word;
}

/* A parameter's name and a word match with - and _ alike, as in Linux. Returns the value, or null.
 */
static const char *match(const char *name, const char *word)
{
	for (; *name; name++, word++) {
		char a = *name == '-' ? '_' : *name, b = *word == '-' ? '_' : *word;

		if (a != b)
			return nullptr;
	}
	return name[-1] == '=' || !*word ? word : nullptr;
}

static bool give_to_kernel(const char *word)
{
	bool taken = false;

	for (const struct kernel_parameter *p = __kernel_parameters_start;
	     p < __kernel_parameters_end; p++) {
		const char *value = match(p->name, word);

		if (!value)
			continue;
		taken = true;
		if (p->set(value))
			log_error("command line: bad value in \"%s\"", word);
	}
	return taken;
}

static void give_to_init(const char *word)
{
	const char *equals = strchr(word, '=');
	const char *dot = strchr(word, '.');

	if (!equals) {
		if (!dot && argument_count < WORDS_MAX)
			init_arguments[argument_count++] = word;
		return;
	}
	/* module.option=value is meant for a driver, which here is not a module */
	if (dot && dot < equals)
		return;
	for (unsigned i = 0; i < environment_count; i++)
		if (!strncmp(init_environment[i], word, (size_t)(equals - word) + 1)) {
			init_environment[i] = word;
			return;
		}
	if (environment_count < WORDS_MAX)
		init_environment[environment_count++] = word;
}

void command_line_parse(void)
{
	char *at = words, *word;
	bool for_init = false;

	if (string_copy(words, boot_info.command_line, sizeof(words)) < 0)
		log_warning("command line: cut at %u bytes", BOOT_COMMAND_LINE_MAX - 1);
	while ((word = next_word(&at))) {
		if (for_init) {
			if (argument_count < WORDS_MAX)
				init_arguments[argument_count++] = word;
		} else if (!strcmp(word, "--")) {
			for_init = true;
		} else if (!give_to_kernel(word)) {
			give_to_init(word);
		}
	}
}
