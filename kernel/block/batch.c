/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Batches of requests. */
#include <block/batch.h>

static void drop(struct block_batch *batch)
{
	if (__atomic_sub_fetch(&batch->pending, 1, __ATOMIC_ACQ_REL) == 0)
		complete(&batch->done);
}

static void request_done(struct block_request *request)
{
	struct block_batch *batch = request->private;

	if (request->status)
		__atomic_store_n(&batch->status, request->status, __ATOMIC_RELAXED);
	drop(batch);
}

void block_batch_start(struct block_batch *batch)
{
	batch->pending = 1;
	batch->status = 0;
	completion_init(&batch->done);
	block_plug_start(&batch->plug);
}

void block_batch_submit(struct block_batch *batch, struct block_request *request)
{
	__atomic_fetch_add(&batch->pending, 1, __ATOMIC_RELAXED);
	request->done = request_done;
	request->private = batch;
	block_submit(request);
}

int block_batch_finish(struct block_batch *batch)
{
	block_plug_finish(&batch->plug);
	drop(batch);
	(void)wait_for_completion(&batch->done, SLEEP_UNINTERRUPTIBLE);
	return __atomic_load_n(&batch->status, __ATOMIC_RELAXED);
}
