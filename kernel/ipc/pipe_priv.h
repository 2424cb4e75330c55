/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of a pipe, for pipe.c and splice.c. */
#pragma once

#include <core/wait.h>
#include <mm/frame.h>
#include <obj/file.h>

struct pipe_slot {
	struct page *page; /* holds a reference */
	u16 offset, length;
	bool packet; /* a write of its own: a read takes it alone and drops what it does not take */
	bool merge;  /* the page is the pipe's alone: writes may append (P3) */
};

struct pipe {
	struct mutex lock;    /* RANK_PIPE */
	u32 head, tail;	      /* fragments written and read, ever; they wrap */
	u32 size;	      /* slots, a power of two */
	u32 readers, writers; /* files open for it */
	u32 reader_generation,
		writer_generation; /* opens of it, ever: open of a FIFO waits for a change */
	u32 files;		   /* guarded by inode->lock */
	bool unnamed;		   /* of pipe(2): opening it again, through /proc, never waits */
	bool draining; /* splice takes from the first fragment: for readers there is nothing */
	unsigned spare_count;
	struct page *spare[2]; /* pages to write to next */
	struct pipe_slot *slots;
	struct wait_queue waiters;
};

static inline struct pipe_slot *pipe_slot(struct pipe *pipe, u32 position)
{
	return &pipe->slots[position & (pipe->size - 1)];
}

static inline bool pipe_is_full(const struct pipe *pipe)
{
	return pipe->head - pipe->tail >= pipe->size;
}

/*
 * A FIFO opened for reading without waiting does not report a hang-up before a writer has come.
 * Being a stream, the file has no offset: it keeps the generation of writers at its opening there.
 */
static inline bool pipe_had_writer(const struct file *file, const struct pipe *pipe)
{
	return file->offset != READ_ONCE(pipe->writer_generation);
}

/* Writing found no reader: SIGPIPE to the current task. */
void pipe_send_sigpipe(const struct file *file);

[[nodiscard]] struct page *pipe_page_get(struct pipe *pipe) __must_hold(&pipe->lock);
void pipe_page_put(struct pipe *pipe, struct page *page) __must_hold(&pipe->lock);
