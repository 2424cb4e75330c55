/* SPDX-License-Identifier: MIT */
/*
 * Chevron: the shell for silos and strates, and for handles and channels by hand.
 *
 *   chevron [--json]              reads commands from the terminal or a pipe
 *   chevron [--json] COMMAND...   one command
 *
 * A silo lives as long as somebody holds its handle: those made here end with this chevron.
 */
#include "chevron.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int json;

int complain(const char *what, const char *about)
{
	const char *reason = errno ? strerror(errno) : NULL;

	fprintf(stderr, "chevron: %s%s%s%s%s\n", what, about ? ": " : "", about ? about : "",
		reason ? ": " : "", reason ? reason : "");
	return 1;
}

unsigned long size_of(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 0);

	switch (*end) {
	case 'G':
		return n << 30;
	case 'M':
		return n << 20;
	case 'K':
		return n << 10;
	default:
		return n;
	}
}

static int help(int argc, char **argv);
static int shell(int argc, char **argv);
static const struct command own_commands[] = {
	{ "help", "[COMMAND]", "this list, or one line of it", 0, help },
	{ "!", "COMMAND", "has the shell run a command, outside of all silos", 1, shell },
	{ "quit", "", "ends every silo and strate made here", 0, NULL },
	{ 0 },
};
static const struct command *const tables[] = { own_commands, silo_commands, strate_commands,
						raw_commands, object_commands };
#define TABLES (sizeof(tables) / sizeof(tables[0]))

static int help(int argc, char **argv)
{
	int shown = 0;

	for (unsigned t = 0; t < TABLES; t++)
		for (const struct command *c = tables[t]; c->name; c++) {
			if (argc > 1 && strcmp(c->name, argv[1]) != 0)
				continue;
			shown = 1;
			if (!json_line("command%s arguments%s help%s", c->name, c->arguments,
				       c->help))
				printf("  %-8s %-34s %s\n", c->name, c->arguments, c->help);
		}
	return shown ? 0 : complain("no such command", argv[1]);
}

static int shell(int argc, char **argv)
{
	int status;

	(void)argc;
	fflush(stdout);
	status = system(argv[1]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int made(const char *what, int fd)
{
	if (fd < 0)
		return complain(what, NULL);
	if (!json_line("handle%u", (unsigned long long)fd))
		printf("%d\n", fd);
	return 0;
}

static void json_text(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		if ((unsigned char)*text < ' ')
			printf("\\u%04x", *text);
		else
			putchar(*text);
	}
	putchar('"');
}

int json_line(const char *keys, ...)
{
	va_list values;
	char mark = '{';

	if (!json)
		return 0;
	va_start(values, keys);
	while (*keys) {
		int length = (int)strcspn(keys, "%");

		printf("%c\"%.*s\":", mark, length, keys);
		mark = ',';
		if (keys[length + 1] == 's')
			json_text(va_arg(values, const char *));
		else if (keys[length + 1] == 'u')
			printf("%llu", va_arg(values, unsigned long long));
		else
			printf("%lld", va_arg(values, long long));
		keys += length + 2;
		keys += *keys == ' ';
	}
	va_end(values);
	puts("}");
	return 1;
}

const char *completion(int i, int first)
{
	if (!first)
		return silo_name(i);
	for (unsigned t = 0; t < TABLES; t++)
		for (const struct command *command = tables[t]; command->name; command++)
			if (i-- == 0)
				return command->name;
	return NULL;
}

static int run(int argc, char **argv)
{
	for (unsigned t = 0; t < TABLES; t++)
		for (const struct command *c = tables[t]; c->name; c++) {
			errno = 0;
			if (strcmp(c->name, argv[0]) != 0)
				continue;
			if (argc <= c->least) {
				fprintf(stderr, "usage: %s %s\n", c->name, c->arguments);
				return 1;
			}
			return c->run ? c->run(argc, argv) : 0;
		}
	errno = 0;
	return complain("no such command, try help", argv[0]);
}

/*
 * Words are separated by blanks; what is between quotes is one; # begins a comment. The rest of a line that begins with ! is one word.
 */
static int split(char *line, char **words)
{
	int n = 0;
	char *to = line;

	while (n < WORDS_MAX - 1) {
		char quote = 0;

		line += strspn(line, " \t\n");
		if (!*line || *line == '#')
			break;
		words[n++] = to;
		if (n == 1 && *line == '!') {
			words[n++] = line + 1;
			line[strcspn(line, "\n")] = 0;
			words[0] = "!";
			break;
		}
		for (; *line && (quote || !strchr(" \t\n", *line)); line++) {
			if (*line == quote)
				quote = 0;
			else if (!quote && (*line == '"' || *line == '\''))
				quote = *line;
			else
				*to++ = *line;
		}
		line += *line != 0;
		*to++ = 0;
	}
	words[n] = NULL;
	return n;
}

int main(int argc, char **argv)
{
	char line[4096], *words[WORDS_MAX];
	int first = 1, status = 0, terminal = isatty(0) && isatty(1);

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (first < argc && strcmp(argv[first], "--json") == 0) {
		json = 1;
		first++;
	}
	if (first < argc)
		return run(argc - first, argv + first);
	for (;;) {
		int n;

		if (terminal ? !read_line("chevron> ", line, sizeof(line))
			     : !fgets(line, sizeof(line), stdin))
			return status;
		n = split(line, words);
		if (n && strcmp(words[0], "quit") == 0)
			return status;
		if (n)
			status = run(n, words);
	}
}
