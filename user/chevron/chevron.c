/* SPDX-License-Identifier: MIT */
/*
 * Chevron: the shell for silos, and for handles and channels by hand.
 *
 *   chevron [--json]              reads commands from the terminal or a pipe
 *   chevron [--json] COMMAND...   one command
 *
 * A silo lives as long as somebody holds its handle: those made here end with this chevron.
 */
#include "chevron.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
static const struct command own_commands[] = { { "help", "", "this list", 0, help }, { 0 } };
static const struct command *const tables[] = { own_commands, silo_commands, raw_commands,
						object_commands };
#define TABLES (sizeof(tables) / sizeof(tables[0]))

static int help(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	for (unsigned t = 0; t < TABLES; t++)
		for (const struct command *c = tables[t]; c->name; c++)
			printf("  %-8s %-34s %s\n", c->name, c->arguments, c->help);
	puts("  quit                                        ends every silo made here");
	return 0;
}

const char *completion(int i, int first)
{
	if (!first)
		return silo_name(i);
	for (unsigned t = 0; t < TABLES; t++)
		for (const struct command *command = tables[t]; command->name; command++)
			if (i-- == 0)
				return command->name;
	return i == 0 ? "quit" : NULL;
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
			return c->run(argc, argv);
		}
	errno = 0;
	return complain("no such command, try help", argv[0]);
}

/* Words are separated by blanks; # begins a comment. */
static int split(char *line, char **words)
{
	int n = 0;

	for (char *word = strtok(line, " \t\n"); word && *word != '#' && n < WORDS_MAX - 1;
	     word = strtok(NULL, " \t\n"))
		words[n++] = word;
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
