/* SPDX-License-Identifier: MIT */
/*
 * Strates: programs that serve a file system by the protocol of <linux/fuse.h>, over /dev/fuse or over a channel. This is a library, not
 * a call: it mounts, receives and answers; what the files are is one function of the program's.
 *
 * A request is a fuse_in_header and arguments, an answer results or an error. FUSE_INIT, and requests without an answer, are the library's; what
 * the function does not know it answers with -ENOSYS, and the kernel does without where it can: without OPEN and OPENDIR it keeps no
 * handles there, without FLUSH nothing is flushed. FUSE_STATFS then tells of blocks of 4096 bytes, none of them used.
 */
#pragma once

#ifndef __KERNEL__
#include <linux/fuse.h>
#include <stddef.h>

#define CAIRN_STRATE_DATA (128 * 1024) /* bytes of one read, write or listing, at most */

/*
 * Answers one request: the size of the results, at most CAIRN_STRATE_DATA, or -errno. The arguments are followed by a zero.
 */
typedef long (*cairn_strate_serve)(const struct fuse_in_header *in, const void *arguments,
				   void *results);

#define CAIRN_STRATE_CHANNEL                                                                       \
	1u /* over a channel: each request is a call, and switches straight to the strate */

/*
 * Mounts a file system of this name on the directory. A child process serves it from then on, until it is unmounted; the caller goes on.
 * The number of the child, or -1. EINVAL: no such flag; else as open(2), mount(2), fork(2) and cairn_channel_create.
 */
int cairn_strate_start(const char *name, const char *directory, unsigned flags,
		       cairn_strate_serve serve);

/*
 * The main function of a strate that is called as "NAME [--channel] DIRECTORY": what it returns.
 */
int cairn_strate_main(int argc, char **argv, const char *name, cairn_strate_serve serve);

/* Fill the results of requests that make or find a node, and of those for attributes, to be asked again after a second. Their size. */
long cairn_strate_entry(void *results, unsigned long node, const struct fuse_attr *attributes);
long cairn_strate_attr(void *results, const struct fuse_attr *attributes);

/*
 * Appends an entry to the results of FUSE_READDIR, of which `used` bytes are there and `room` may be; `next` is the offset that the listing
 * goes on from behind it. The size now, or 0: it does not fit.
 */
size_t cairn_strate_list(void *results, size_t used, size_t room, const char *name,
			 unsigned long node, unsigned mode, unsigned long next);
#endif
