/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Block devices (Virtual I/O Device specification 1.2, 5.2): one virtqueue per CPU if the device has
 * that many. A command is a header, the data, a status byte; those of a queue are made once. Each
 * queue has a lock of its own, which no callback runs under.
 *
 * A device that lies about its queues, or leaves a command without an answer for `timeout_ns`, is stopped, and what it
 * has not answered ends with -EIO; so does everything after. A timer looks while commands are under way.
 */
#include <arch/smp.h>
#include <block/block.h>
#include <core/command_line.h>
#include <core/log.h>
#include <core/percpu.h>
#include <core/time.h>
#include <core/work.h>
#include <dev/virtio/virtio.h>
#include <dev/virtio/virtio_buses.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <obj/inode.h>

#include <linux/virtio_blk.h>
#include <linux/virtio_ring.h>

#define MAJOR_NUMBER 254
#define DISK_MINORS 16
#define QUEUES_MAX 8u
#define SEGMENTS_MAX 254u
#define STATUS_NONE 0xff
#define SECTORS_MAX 8192u

struct command {
	struct virtio_blk_outhdr header;
	struct virtio_blk_discard_write_zeroes range;
	struct block_request *request; /* null: none */
	u64 started_ns;
	struct command *next; /* free, or finished */
	u8 status;	      /* the device writes it */
};

struct blk_queue {
	struct spinlock lock;
	struct virtio_queue *queue __guarded_by(&lock);
	struct command *commands; /* virtio_queue_size of them */
	struct command *free __guarded_by(&lock);
	struct virtio_buffer *buffers __guarded_by(&lock); /* to build a chain in */
	struct virtio_blk *blk;
};

struct virtio_blk {
	struct virtio_device *device;
	struct block_device *disk;
	unsigned queue_count;
	struct work resize, fail;
	struct timer watch;
	bool watching; /* the timer is armed, or about to run; atomic */
	struct blk_queue queues[QUEUES_MAX];
};

static u64 timeout_ns = 60 * NSEC_PER_SEC;

static int set_timeout(const char *text)
{
	u64 seconds;

	if (parse_u64(text, 10, &seconds) || !seconds || seconds > 3600)
		return -EINVAL;
	timeout_ns = seconds * NSEC_PER_SEC;
	return 0;
}
KERNEL_PARAMETER("virtio_blk.timeout=", set_timeout);

/* --- commands --- */

static u32 command_type(const struct block_request *r)
{
	switch (r->step) {
	case BLOCK_READ:
		return VIRTIO_BLK_T_IN;
	case BLOCK_WRITE:
		return VIRTIO_BLK_T_OUT;
	case BLOCK_FLUSH:
		return VIRTIO_BLK_T_FLUSH;
	case BLOCK_DISCARD:
		return VIRTIO_BLK_T_DISCARD;
	case BLOCK_WRITE_ZEROES:
		break;
	}
	return VIRTIO_BLK_T_WRITE_ZEROES;
}

/* Lays the request out in q->buffers; returns how many the device reads, and in *in how many it writes. */
static unsigned build_locked(struct blk_queue *q, struct command *c, unsigned *in)
	__must_hold(&q->lock)
{
	const struct block_request *r = c->request;
	bool data = r->step == BLOCK_READ || r->step == BLOCK_WRITE;
	struct virtio_buffer *b = q->buffers;
	struct block_cursor cursor;
	unsigned n = 1;

	c->header = (struct virtio_blk_outhdr){ .type = command_type(r),
						.sector = data ? r->step_sector : 0 };
	c->status = STATUS_NONE;
	b[0] = (struct virtio_buffer){ virt_to_phys(&c->header), sizeof(c->header) };
	if (data) {
		block_cursor_init(&cursor, r);
		while (block_cursor_next(&cursor, &b[n].address, &b[n].length))
			n++;
	} else if (r->step != BLOCK_FLUSH) {
		c->range = (struct virtio_blk_discard_write_zeroes){ .sector = r->step_sector,
								     .num_sectors =
									     (u32)r->step_sectors };
		b[n++] = (struct virtio_buffer){ virt_to_phys(&c->range), sizeof(c->range) };
	}
	b[n] = (struct virtio_buffer){ virt_to_phys(&c->status), 1 };
	*in = r->step == BLOCK_READ ? n : 1;
	return n + 1 - *in;
}

static int start_locked(struct blk_queue *q, struct block_request *r) __must_hold(&q->lock)
{
	struct command *c = q->free;
	unsigned out, in;

	if (!c)
		return -EBUSY;
	c->request = r;
	out = build_locked(q, c, &in);
	int error = virtio_queue_add(q->queue, q->buffers, out, in, c);
	if (error) {
		c->request = nullptr;
		return error == -ENOSPC ? -EBUSY : error;
	}
	q->free = c->next;
	c->started_ns = clock_monotonic_ns();
	return 0;
}

static void watch(struct virtio_blk *blk)
{
	if (!__atomic_exchange_n(&blk->watching, true, __ATOMIC_ACQ_REL))
		timer_set(&blk->watch, clock_monotonic_ns() + timeout_ns / 4);
}

static int start(struct block_device *disk, struct block_request *r)
{
	struct virtio_blk *blk = block_disk_private(disk);
	struct blk_queue *q = &blk->queues[cpu_id() % blk->queue_count];
	irqflags_t flags = spin_lock_irqsave(&q->lock);
	int error = start_locked(q, r);

	if (error)
		r = nullptr;
	spin_unlock_irqrestore(&q->lock, flags);
	if (r && unlikely(!READ_ONCE(blk->watching)))
		watch(blk);
	return error;
}

static void kick(struct block_device *disk)
{
	struct virtio_blk *blk = block_disk_private(disk);

	/* What was started may have been so on other CPUs. */
	for (unsigned i = 0; i < blk->queue_count; i++) {
		irqflags_t flags = spin_lock_irqsave(&blk->queues[i].lock);

		virtio_queue_kick(blk->queues[i].queue);
		spin_unlock_irqrestore(&blk->queues[i].lock, flags);
	}
}

static int status_of(const struct command *c)
{
	switch (READ_ONCE(c->status)) {
	case VIRTIO_BLK_S_OK:
		return 0;
	case VIRTIO_BLK_S_UNSUPP:
		return -EOPNOTSUPP;
	default:
		return -EIO;
	}
}

/* Takes what the device has finished; a list by `next`. */
static struct command *take_locked(struct blk_queue *q) __must_hold(&q->lock)
{
	struct command *first = nullptr, **end = &first, *c;
	u32 written;

	while ((c = virtio_queue_take(q->queue, &written))) {
		c->next = nullptr;
		*end = c;
		end = &c->next;
	}
	return first;
}

/* The command has come to its end and may be used again. */
static void finish(struct blk_queue *q, struct command *c, int status)
{
	struct block_request *r = c->request;
	irqflags_t flags = spin_lock_irqsave(&q->lock);

	c->request = nullptr;
	c->next = q->free;
	q->free = c;
	spin_unlock_irqrestore(&q->lock, flags);
	block_request_finish(r, status);
}

static void used(struct virtio_queue *queue)
{
	struct blk_queue *q = virtio_queue_private(queue);
	irqflags_t flags = spin_lock_irqsave(&q->lock);
	struct command *c = take_locked(q);

	spin_unlock_irqrestore(&q->lock, flags);
	if (unlikely(READ_ONCE(q->blk->device->broken)))
		work_queue(&q->blk->fail);
	if (!c)
		return;
	while (c) {
		struct command *next = c->next;

		finish(q, c, status_of(c));
		c = next;
	}
	block_queue_room(q->blk->disk);
}

/* --- devices that fail --- */

/* The oldest start of a command that the device has; UINT64_MAX: it has none. */
static u64 oldest_locked(struct blk_queue *q) __must_hold(&q->lock)
{
	u64 oldest = UINT64_MAX;

	for (unsigned i = 0; i < virtio_queue_size(q->queue); i++)
		if (q->commands[i].request)
			oldest = MIN(oldest, q->commands[i].started_ns);
	return oldest;
}

static void look(struct timer *timer)
{
	struct virtio_blk *blk = container_of(timer, struct virtio_blk, watch);
	u64 oldest = UINT64_MAX, now = clock_monotonic_ns();

	/* First, so that what starts behind our look arms the timer. */
	__atomic_store_n(&blk->watching, false, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < blk->queue_count; i++) {
		irqflags_t flags = spin_lock_irqsave(&blk->queues[i].lock);

		oldest = MIN(oldest, oldest_locked(&blk->queues[i]));
		spin_unlock_irqrestore(&blk->queues[i].lock, flags);
	}
	if (oldest == UINT64_MAX)
		return;
	if (now > oldest && now - oldest > timeout_ns)
		work_queue(&blk->fail);
	else
		watch(blk);
}

static void fail(struct work *work)
{
	struct virtio_blk *blk = container_of(work, struct virtio_blk, fail);

	log_error("%s: %s does not answer as it should; stopped", blk->device->name,
		  block_device_name(blk->disk));
	/* It touches no memory from here on. */
	virtio_stop(blk->device);
	for (unsigned i = 0; i < blk->queue_count; i++) {
		struct blk_queue *q = &blk->queues[i];
		struct command *c;

		do {
			irqflags_t flags = spin_lock_irqsave(&q->lock);

			c = virtio_queue_detach(q->queue);
			spin_unlock_irqrestore(&q->lock, flags);
			if (c)
				finish(q, c, -EIO);
		} while (c);
	}
	block_queue_room(blk->disk);
}

static const struct block_driver_ops blk_ops = { .name = "virtblk", .start = start, .kick = kick };

/* --- the device --- */

static u64 config_u64(struct virtio_device *device, u32 offset)
{
	u64 value = 0;

	virtio_config_read(device, offset, &value, 8);
	return value;
}

static u32 config_u32(struct virtio_device *device, u32 offset)
{
	u32 value = 0;

	virtio_config_read(device, offset, &value, 4);
	return value;
}

#define CONFIG_U64(device, field) config_u64(device, offsetof(struct virtio_blk_config, field))
#define CONFIG_U32(device, field) config_u32(device, offsetof(struct virtio_blk_config, field))

static void read_limits(struct virtio_blk *blk, struct block_limits *l)
{
	struct virtio_device *d = blk->device;
	u32 block = SECTOR_SIZE, most = SEGMENTS_MAX, size = 0;
	u8 exponent = 0, cached = 1;

	if (virtio_has(d, VIRTIO_BLK_F_BLK_SIZE))
		block = CONFIG_U32(d, blk_size);
	if (block < SECTOR_SIZE || block > PAGE_SIZE || block & (block - 1))
		block = SECTOR_SIZE;
	if (virtio_has(d, VIRTIO_BLK_F_TOPOLOGY))
		virtio_config_read(d, offsetof(struct virtio_blk_config, physical_block_exp),
				   &exponent, 1);
	if (virtio_has(d, VIRTIO_BLK_F_SEG_MAX))
		most = CONFIG_U32(d, seg_max);
	if (virtio_has(d, VIRTIO_BLK_F_SIZE_MAX))
		size = CONFIG_U32(d, size_max);
	if (!virtio_has(d, VIRTIO_RING_F_INDIRECT_DESC))
		most = MIN(most, 62u);
	if (virtio_has(d, VIRTIO_BLK_F_CONFIG_WCE))
		virtio_config_read(d, offsetof(struct virtio_blk_config, wce), &cached, 1);
	*l = (struct block_limits){
		.logical_block = block,
		.physical_block = block << MIN(exponent, (u8)3),
		.max_segments = MIN(MAX(most, 1u), SEGMENTS_MAX),
		.max_segment_size = size >= PAGE_SIZE ? size & (u32)PAGE_MASK : BIT(20),
		.max_sectors = SECTORS_MAX,
		.write_cache = virtio_has(d, VIRTIO_BLK_F_FLUSH) && cached,
		.read_only = virtio_has(d, VIRTIO_BLK_F_RO),
		.rotational = true,
	};
	if (virtio_has(d, VIRTIO_BLK_F_DISCARD))
		l->max_discard_sectors = CONFIG_U32(d, max_discard_sectors) & ~7u;
	if (virtio_has(d, VIRTIO_BLK_F_WRITE_ZEROES))
		l->max_write_zeroes_sectors = CONFIG_U32(d, max_write_zeroes_sectors) & ~7u;
}

static int queue_prepare(struct virtio_blk *blk, struct blk_queue *q,
			 struct virtio_queue *queue) __no_lock_analysis
{
	unsigned size = virtio_queue_size(queue);

	q->queue = queue;
	q->buffers = kcalloc(SEGMENTS_MAX + 2, sizeof(*q->buffers), 0);
	q->commands = kcalloc(size, sizeof(*q->commands), 0);
	if (!q->buffers || !q->commands)
		return -ENOMEM;
	for (unsigned i = 0; i < size; i++) {
		q->commands[i].next = q->free;
		q->free = &q->commands[i];
	}
	return 0;
}

static int queues_create(struct virtio_blk *blk)
{
	struct virtio_queue_request requests[QUEUES_MAX] = {};
	struct virtio_queue *queues[QUEUES_MAX];
	u16 count = 1;

	if (virtio_has(blk->device, VIRTIO_BLK_F_MQ))
		virtio_config_read(blk->device, offsetof(struct virtio_blk_config, num_queues),
				   &count, 2);
	blk->queue_count = count ? count : 1;
	blk->queue_count = MIN(blk->queue_count, arch_cpu_count());
	blk->queue_count = MIN(blk->queue_count, QUEUES_MAX);
	for (unsigned i = 0; i < blk->queue_count; i++) {
		struct blk_queue *q = &blk->queues[i];

		spin_init(&q->lock, RANK_VIRTIO_QUEUE);
		q->blk = blk;
		requests[i] = (struct virtio_queue_request){
			.name = "virtio-blk", .used = used, .private = q, .cpu = i
		};
	}
	int error = virtio_queues_create(blk->device, requests, blk->queue_count, queues);
	for (unsigned i = 0; !error && i < blk->queue_count; i++)
		error = queue_prepare(blk, &blk->queues[i], queues[i]);
	return error;
}

static void resize(struct work *work)
{
	struct virtio_blk *blk = container_of(work, struct virtio_blk, resize);

	block_disk_resize(blk->disk, CONFIG_U64(blk->device, capacity));
}

static void config_changed(struct virtio_device *device)
{
	struct virtio_blk *blk = device->private;

	if (blk)
		work_queue(&blk->resize);
}

static void free_all(struct virtio_blk *blk) __no_lock_analysis
{
	(void)timer_cancel_wait(&blk->watch);
	for (unsigned i = 0; i < QUEUES_MAX; i++) {
		kfree(blk->queues[i].buffers);
		kfree(blk->queues[i].commands);
	}
	kfree(blk);
}

static int probe(struct virtio_device *device)
{
	static unsigned count;
	struct block_limits limits;
	struct virtio_blk *blk;
	char name[8];
	int error = virtio_negotiate(
		device, BIT(VIRTIO_BLK_F_SIZE_MAX) | BIT(VIRTIO_BLK_F_SEG_MAX) |
				BIT(VIRTIO_BLK_F_RO) | BIT(VIRTIO_BLK_F_BLK_SIZE) |
				BIT(VIRTIO_BLK_F_FLUSH) | BIT(VIRTIO_BLK_F_TOPOLOGY) |
				BIT(VIRTIO_BLK_F_CONFIG_WCE) | BIT(VIRTIO_BLK_F_MQ) |
				BIT(VIRTIO_BLK_F_DISCARD) | BIT(VIRTIO_BLK_F_WRITE_ZEROES));

	if (error)
		return error;
	if (count == 26)
		return -ENOSPC;
	blk = kzalloc(sizeof(*blk), 0);
	if (!blk)
		return -ENOMEM;
	blk->device = device;
	work_init(&blk->resize, resize);
	work_init(&blk->fail, fail);
	timer_init(&blk->watch, look);
	read_limits(blk, &limits);
	error = queues_create(blk);
	if (error)
		goto out_free;
	virtio_ready(device);
	u64 sectors = CONFIG_U64(device, capacity);
	(void)snprintf(name, sizeof(name), "vd%c", 'a' + count);
	/* The disk's partitions are read before block_disk_add returns. */
	error = block_disk_add(name, device_make(MAJOR_NUMBER, count * DISK_MINORS), DISK_MINORS,
			       &limits, sectors, &blk_ops, blk, &blk->disk);
	if (error) {
		virtio_stop(device);
		goto out_free;
	}
	count++;
	device->private = blk;
	log_info("%s: %s, %llu sectors%s, %u queue%s", device->name, name,
		 (unsigned long long)sectors, limits.read_only ? ", read-only" : "",
		 blk->queue_count, blk->queue_count > 1 ? "s" : "");
	return 0;

out_free:
	free_all(blk);
	return error;
}

void virtio_blk_init(void)
{
	static struct virtio_driver driver = { .name = "virtio-blk",
					       .type = VIRTIO_ID_BLOCK,
					       .probe = probe,
					       .config_changed = config_changed };

	virtio_driver_register(&driver);
}
