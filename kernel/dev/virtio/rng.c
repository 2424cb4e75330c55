/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entropy device (Virtual I/O Device specification 1.2, 5.4): seeds the kernel's generator, and again every minute. */
#include <core/log.h>
#include <core/random.h>
#include <core/time.h>
#include <core/work.h>
#include <dev/virtio/virtio.h>
#include <dev/virtio/virtio_buses.h>
#include <lib/errno.h>
#include <mm/slab.h>

#define SEED_SIZE 64u
#define PERIOD_NS (60 * NSEC_PER_SEC)

struct virtio_rng {
	struct virtio_queue *queue;
	u8 *seed; /* the device's while `asked` */
	bool asked, first;
	struct timer again;
	struct work ask;
};

static void ask(struct work *work)
{
	struct virtio_rng *rng = container_of(work, struct virtio_rng, ask);
	struct virtio_buffer buffer = { virt_to_phys(rng->seed), SEED_SIZE };

	if (READ_ONCE(rng->asked))
		return;
	rng->asked = true;
	if (virtio_queue_add(rng->queue, &buffer, 0, 1, rng))
		return;
	virtio_queue_kick(rng->queue);
}

static void ask_again(struct timer *timer)
{
	work_queue(&container_of(timer, struct virtio_rng, again)->ask);
}

/* A device that is not trusted may still add entropy; it counts as a seed as firmware's does. */
static void used(struct virtio_queue *queue)
{
	struct virtio_rng *rng = virtio_queue_private(queue);
	u32 length;

	if (!virtio_queue_take(queue, &length))
		return;
	if (rng->first && length >= 32)
		random_add_seed(rng->seed, length);
	else
		random_add(rng->seed, length);
	rng->first = false;
	WRITE_ONCE(rng->asked, false);
	timer_set(&rng->again, clock_monotonic_ns() + PERIOD_NS);
}

static int probe(struct virtio_device *device)
{
	struct virtio_rng *rng;
	int error = virtio_negotiate(device, 0);

	if (error)
		return error;
	rng = kzalloc(sizeof(*rng), 0);
	if (!rng)
		return -ENOMEM;
	rng->seed = kzalloc(SEED_SIZE, 0);
	error = -ENOMEM;
	if (!rng->seed)
		goto out_free;
	rng->first = true;
	timer_init(&rng->again, ask_again);
	work_init(&rng->ask, ask);
	struct virtio_queue_request request = { .name = "virtio-rng",
						.used = used,
						.private = rng };
	error = virtio_queues_create(device, &request, 1, &rng->queue);
	if (error)
		goto out_free_seed;
	virtio_ready(device);
	device->private = rng;
	ask(&rng->ask);
	log_info("%s: entropy", device->name);
	return 0;

out_free_seed:
	kfree(rng->seed);
out_free:
	kfree(rng);
	return error;
}

void virtio_rng_init(void)
{
	static struct virtio_driver driver = { .name = "virtio-rng",
					       .type = VIRTIO_ID_RNG,
					       .probe = probe };

	virtio_driver_register(&driver);
}
