/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the architecture's entry to process 1: the one list of initialisations, in order. As the
 * root of the kernel this file, unlike all others of core/, includes headers of every layer.
 */
#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/irqchip.h>
#include <arch/irqflags.h>
#include <block/block_file.h>
#include <core/command_line.h>
#include <core/ktest.h>
#include <core/log.h>
#include <core/panic.h>
#include <core/percpu.h>
#include <core/random.h>
#include <core/rcu.h>
#include <core/stack_guard.h>
#include <core/time.h>
#include <core/work.h>
#include <dev/loop/loop.h>
#include <dev/mem/mem.h>
#include <dev/pci/pci.h>
#include <dev/ram/ram.h>
#include <dev/rtc/rtc.h>
#include <dev/tty/tty.h>
#include <dev/virtio/virtio_buses.h>
#include <fs/binfmt_misc/binfmt_misc.h>
#include <fs/dev/devtmpfs.h>
#include <fs/devpts/devpts.h>
#include <fs/ext4/ext4.h>
#include <fs/fuse/fuse.h>
#include <fs/initramfs/initramfs.h>
#include <fs/mqueue/mqueue_fs.h>
#include <fs/overlay/overlay.h>
#include <fs/proc/proc.h>
#include <fs/root/root.h>
#include <fs/sys/sys.h>
#include <fs/tmpfs/tmpfs.h>
#include <ipc/channel.h>
#include <ipc/futex.h>
#include <ipc/pipe.h>
#include <ipc/sysv.h>
#include <mm/aspace.h>
#include <mm/frame.h>
#include <mm/slab.h>
#include <mm/vmap.h>
#include <mm/write_back.h>
#include <net/device.h>
#include <net/link_kind.h>
#include <net/namespace.h>
#include <net/netlink/netlink.h>
#include <net/packet/packet.h>
#include <net/socket.h>
#include <net/unix/unix.h>
#include <obj/file.h>
#include <obj/handle.h>
#include <obj/inode.h>
#include <obj/space.h>
#include <obj/untyped.h>
#include <proc/task.h>
#include <sched/thread.h>
#include <vfs/epoll.h>
#include <vfs/init.h>
#include <vfs/vfs.h>

static void start_kthread(const char *name, void (*entry)(void *))
{
	if (kthread_start(name, entry, nullptr))
		panic("no memory for the thread %s", name);
}

/* Everything that may sleep; becomes process 1. */
static void boot_rest(void *unused)
{
	(void)unused;
	start_kthread("rcu", rcu_thread);
	start_kthread("work", work_thread);
	write_back_init(kthread_start);
	sched_start_cpus();

	/* Objects and files: anything may be opened once its provider has registered. */
	pool_init();
	untyped_init();
	space_init();
	pager_init();
	file_init();
	inode_cache_init();
	pipe_cache_init();
	futex_init();
	sysv_init();
	socket_init();
	unix_init();
	network_namespace_init();
	net_init();
	netlink_init();
	netlink_route_init();
	sock_diag_init();
	netlink_generic_init();
	tcp_metrics_init();
	uevent_init();
	packet_socket_init();
	veth_init();
	dummy_init();
	epoll_init();
	vfs_init();
	sys_fs_init();
	tmpfs_init();
	ext4_init();
	overlay_init();
	mqueue_fs_init();
	proc_fs_init();
	binfmt_misc_init();
	vfs_mount_root("rootfs");
	devtmpfs_init();
	devpts_init();
	fuse_init();
	tun_init();

	/* Processes: tasks can be made, signals sent. */
	proc_init();

	/* Devices: the console prints by interrupt and can be read; the clock on the wall is right.
	 */
	tty_init_devices();
	memory_devices_init();
	arch_devices_init();
	block_init();
	ram_disk_init();
	loop_init();
	rtc_init();
	pci_init();
	virtio_pci_init();
	virtio_mmio_init();
	virtio_rng_init();
	virtio_blk_init();
	virtio_net_init();
	root_init();

	if (ktest_run)
		ktest_run();
	initramfs_unpack();

	init_start();
}

void kernel_main(void)
{
	percpu_init();

	/* The log prints by polling from here on. The command line has set the parameters. */
	log_info("Cairn on %s", arch_machine_name);
	command_line_parse();
	log_info("Command line: %s", command_line_text());

	/* Memory: frames, then kmalloc, then stacks and device mappings. Nothing before allocates.
	 */
	arch_direct_map_init();
	frame_init();
	slab_init();
	vmap_init();
	arch_cpu_init(); /* exceptions are handled from here on */

	/* Time and interrupts: clocks run, timers can be set; they fire once interrupts are
	 * unmasked. */
	arch_irqchip_init();
	time_init();
	random_init();
	stack_guard_init();

	/* Threads: this flow is CPU 0's idle thread, sleeping and waking work. */
	sched_init();
	aspace_init();
	arch_irq_enable();

	start_kthread("init", boot_rest);
	sched_idle();
}
