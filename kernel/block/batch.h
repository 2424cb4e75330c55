/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many requests, one wait: submits requests and waits until all of them are done. */
#pragma once

#include <block/block.h>
#include <core/wait.h>

struct block_batch {
	u32 pending; /* atomic: requests in flight, and one of block_batch_finish */
	int status;  /* atomic: of a request that failed */
	struct completion done;
	struct block_plug plug;
};

/* Begins: from here to the end the caller's requests gather in a plug. */
void block_batch_start(struct block_batch *batch);
/* Submits; `done` and `private` of the request are the batch's. Does not sleep. */
void block_batch_submit(struct block_batch *batch, struct block_request *request);
/* Waits for all. 0 or the status of one that failed. May sleep. */
[[nodiscard]] int block_batch_finish(struct block_batch *batch);
