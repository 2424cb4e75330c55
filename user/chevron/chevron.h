/* SPDX-License-Identifier: MIT */
/* Inside chevron: what a command is. */
#pragma once

#define WORDS_MAX 64

struct command {
	const char *name, *arguments, *help;
	int least;			   /* words behind the name */
	int (*run)(int argc, char **argv); /* argv[0] is the name; 0, or 1 after a message */
};

extern const struct command silo_commands[], strate_commands[], raw_commands[],
	object_commands[]; /* each ends with a null name */
extern int json;

/* Prints "chevron: ..." with the errno's text if there is one; returns 1. */
int complain(const char *what, const char *about);
/* Edits a line on the terminal; 0 at the end of the input. */
int read_line(const char *prompt, char *text, int size);
/* The word number i that a line may hold: a command's name, or behind that a silo's; NULL: no more. */
const char *completion(int i, int first);
/* The name of silo number i, or NULL. */
const char *silo_name(int i);
/* A number with a suffix K, M or G. */
unsigned long size_of(const char *text);
/*
 * With --json, a line {"key":value,...}; keys are words that end in %s (const char *), %u (unsigned long long) or %d (long long).
 * False without it: the caller prints for people.
 */
int json_line(const char *keys, ...);
/* Prints the number of a handle that was made, or complains; what a command returns. */
int made(const char *what, int fd);
/* Raw commands under names that silos have too: `list POOL`, `start TASK`. */
int pool_list(int argc, char **argv);
int task_start(const char *task);
/* Of all strates: a line each for `list`; ends them. */
void list_strates(void);
void end_strates(void);
/* Ends the strate of this name; false: there is none. */
int end_strate(const char *name);
