/* SPDX-License-Identifier: MIT */
/* A line from the terminal: editing, history, and Tab for the words that commands and silos have. */
#include "chevron.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define HISTORY_MAX 100
#define CONTROL(letter) ((letter) & 31)

static char *history[HISTORY_MAX];
static int history_count;

struct line {
	char *text;
	int size, length, at; /* room; used; where the cursor is */
	int shown;	      /* line of the history; history_count: the new one */
};

static void draw(const struct line *l, const char *prompt)
{
	printf("\r%s%.*s\033[K", prompt, l->length, l->text);
	if (l->length > l->at)
		printf("\033[%dD", l->length - l->at);
	fflush(stdout);
}

static void insert(struct line *l, const char *text, int count)
{
	if (l->length + count >= l->size)
		return;
	memmove(l->text + l->at + count, l->text + l->at, (size_t)(l->length - l->at));
	memcpy(l->text + l->at, text, (size_t)count);
	l->at += count;
	l->length += count;
}

static void erase_before(struct line *l, int count)
{
	memmove(l->text + l->at - count, l->text + l->at, (size_t)(l->length - l->at));
	l->at -= count;
	l->length -= count;
}

static void show(struct line *l, int which)
{
	if (which < 0 || which > history_count)
		return;
	l->shown = which;
	l->length = l->at = 0;
	if (which < history_count)
		insert(l, history[which], (int)strlen(history[which]));
}

/* What all words that begin as the one before the cursor go on with; all of them, if that is nothing. */
static void complete(struct line *l)
{
	int start = l->at, length, common = -1, count = 0;
	const char *word, *first = NULL;

	while (start && l->text[start - 1] != ' ')
		start--;
	length = l->at - start;
	for (int i = 0; (word = completion(i, start == 0)); i++) {
		int same = 0;

		if (strncmp(word, l->text + start, (size_t)length) != 0)
			continue;
		count++;
		first = first ? first : word;
		while (word[same] && word[same] == first[same])
			same++;
		common = common < 0 || same < common ? same : common;
	}
	if (common > length)
		insert(l, first + length, common - length);
	if (count == 1)
		insert(l, " ", 1);
	if (count < 2 || common > length)
		return;
	putchar('\n');
	for (int i = 0; (word = completion(i, start == 0)); i++)
		if (strncmp(word, l->text + start, (size_t)length) == 0)
			printf("%s  ", word);
	putchar('\n');
}

/* What follows ESC [ : arrows, Home, End, Delete. */
static void escape(struct line *l)
{
	char c[2] = "", tilde;

	if (read(0, c, 1) != 1 || read(0, c + 1, 1) != 1)
		return;
	switch (c[1]) {
	case 'A':
	case 'B':
		show(l, l->shown + (c[1] == 'A' ? -1 : 1));
		return;
	case 'C':
		l->at += l->at < l->length;
		return;
	case 'D':
		l->at -= l->at > 0;
		return;
	case 'H':
		l->at = 0;
		return;
	case 'F':
		l->at = l->length;
		return;
	case '3':
		if (read(0, &tilde, 1) == 1 && l->at < l->length) {
			l->at++;
			erase_before(l, 1);
		}
	}
}

/* Takes a key; 1 at the end of the line, -1 at that of the input. */
static int key(struct line *l, char c)
{
	switch (c) {
	case '\r':
	case '\n':
		return 1;
	case CONTROL('D'):
		return l->length ? 0 : -1;
	case CONTROL('C'):
		l->length = l->at = 0;
		return 1;
	case CONTROL('A'):
		l->at = 0;
		break;
	case CONTROL('E'):
		l->at = l->length;
		break;
	case CONTROL('U'):
		erase_before(l, l->at);
		break;
	case CONTROL('H'):
	case 127:
		if (l->at)
			erase_before(l, 1);
		break;
	case '\t':
		complete(l);
		break;
	case 27:
		escape(l);
		break;
	default:
		if ((unsigned char)c >= ' ')
			insert(l, &c, 1);
	}
	return 0;
}

static void remember(const char *text)
{
	if (!*text || (history_count && strcmp(history[history_count - 1], text) == 0))
		return;
	if (history_count == HISTORY_MAX) {
		free(history[0]);
		memmove(history, history + 1, sizeof(history) - sizeof(history[0]));
		history_count--;
	}
	history[history_count] = strdup(text);
	history_count += history[history_count] != NULL;
}

int read_line(const char *prompt, char *text, int size)
{
	struct line line = { .text = text, .size = size, .shown = history_count };
	struct termios cooked, raw;
	int end = 0;
	char c;

	if (tcgetattr(0, &cooked))
		return 0;
	raw = cooked;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
	tcsetattr(0, TCSADRAIN, &raw);
	while (!end) {
		draw(&line, prompt);
		end = read(0, &c, 1) == 1 ? key(&line, c) : -1;
	}
	tcsetattr(0, TCSADRAIN, &cooked);
	putchar('\n');
	text[line.length] = 0;
	remember(text);
	return end > 0;
}
