/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walk with references, one component at a time: for what the fast walk cannot do, and for open and its like. */
#pragma once

#include <vfs/dcache.h>

#define SYMLINKS_MAX 40 /* path_resolution(7) */

enum walk_last {
	WALK_NAME,   /* walk.last is a name in walk.at */
	WALK_DOT,    /* "." */
	WALK_DOTDOT, /* ".." */
	WALK_NONE,   /* the path was only slashes: walk.at is the result */
};

struct walk {
	struct path root;  /* what "/" and the highest ".." mean; with references */
	struct path at;	   /* where the walk is; with references */
	struct path start; /* RESOLVE_BENEATH: no way above it; with references, or null */
	u32 flags;	   /* LOOKUP_* */
	unsigned links;	   /* symbolic links followed */
	const char *rest;  /* what is left of the current text */
	/* The last component, after walk_to_parent. */
	enum walk_last kind;
	struct name last;
	bool trailing; /* slashes follow it: it must be a directory */
	bool jumped;   /* the last step was a magic link: walk.at is the result */
	unsigned pending_count, text_count;
	const char *pending[SYMLINKS_MAX]; /* rests of the texts that links interrupted */
	char *texts[SYMLINKS_MAX];	   /* targets of links, freed at the end */
};

/* Prepares a walk of `text` from dirfd. Needs walk_end() even when it fails. */
[[nodiscard]] int walk_start(struct walk *w, int dirfd, const char *text, u32 flags);
/* The same from `root`, which it does not leave. */
[[nodiscard]] int walk_start_in(struct walk *w, const struct path *root, const char *text,
				u32 flags);
void walk_end(struct walk *w);

/* Walks all but the last component; w->at is its directory then, and search permission for it was checked. */
[[nodiscard]] int walk_to_parent(struct walk *w);

/*
 * Goes from w->at to `child` (positive; its reference is consumed) and up to what is mounted there.
 */
[[nodiscard]] int walk_enter(struct walk *w, struct dentry *child);

/*
 * Takes the last component that walk_to_parent found. *again tells that it was a symbolic link to follow: then
 * walk_to_parent must be called again. Else w->at is the result. -ENOENT if it does not exist.
 */
[[nodiscard]] int walk_last(struct walk *w, bool *again);

/* w->at is a symbolic link: continues with its target; the directory it is in is `dir` (consumed). */
[[nodiscard]] int walk_follow(struct walk *w, struct path *dir);
