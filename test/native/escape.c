/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ways out of a silo, one after the other, by somebody who is root inside: none leads out, and what is denied is recorded. */
#include <guest_test.h>

#include <cairn/handle.h>
#include <cairn/silo.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define KEY 0x51105
#define OUTSIDE 20000 /* a number that no process inside gets */

static int silo, outside, shm;
static char word[8];

/* An attempt: 0 or more is a way out. */
struct attempt {
	const char *name;
	long (*run)(void);
	unsigned recorded; /* CAIRN_SILO_DENIED_*; 0: what it looks for is not there, or no call */
};

#define ATTEMPT(name, expression)                                                                  \
	static long name(void)                                                                     \
	{                                                                                          \
		return (expression);                                                               \
	}

static const struct iovec vector = { word, sizeof(word) };
static const struct sched_param realtime = { .sched_priority = 1 };
static const struct rlimit no_limit = { RLIM_INFINITY, RLIM_INFINITY };
static struct timeval some_time = { 2000000000, 0 };
static struct timex clock_change = { .modes = ADJ_TICK, .tick = 10000 };
/* 192.0.2.1, port 80; loopback, where there is a server outside; 2001:db8:: */
static const struct sockaddr_in far = { .sin_family = AF_INET,
					.sin_port = 0x5000,
					.sin_addr = { 0x010200c0 } };
static const struct sockaddr_in near = { .sin_family = AF_INET,
					 .sin_port = 0x0110,
					 .sin_addr = { 0x0100007f } };
static const struct sockaddr_in6 far6 = { .sin6_family = AF_INET6,
					  .sin6_port = 0x5000,
					  .sin6_addr = { { { 0x20, 0x01, 0x0d, 0xb8 } } } };
static struct ifreq interface_down = { .ifr_name = "lo" };
static siginfo_t queued = { .si_signo = SIGKILL, .si_code = SI_QUEUE };
static struct timespec some_clock;
static struct __user_cap_header_struct capability_header = { _LINUX_CAPABILITY_VERSION_3, OUTSIDE };
static struct __user_cap_data_struct capability_data[2];
static void *head;
static size_t head_size;
static struct sockaddr_un abstract = { .sun_family = AF_UNIX, .sun_path = "\0out" };

ATTEMPT(chroot_further, chroot("d"))
ATTEMPT(mount_memory, mount("none", "d", "tmpfs", 0, NULL))
ATTEMPT(mount_proc, mount("none", "d", "proc", 0, NULL))
ATTEMPT(mount_devices, mount("none", "d", "devtmpfs", 0, NULL))
ATTEMPT(mount_bind, mount("/", "d", NULL, MS_BIND, NULL))
ATTEMPT(remount_proc, mount(NULL, "/proc", NULL, MS_REMOUNT | MS_BIND, NULL))
ATTEMPT(unmount_proc, umount2("/proc", MNT_DETACH))
ATTEMPT(pivot, syscall(SYS_pivot_root, "/", "/d"))
ATTEMPT(make_disk, mknod("disk", S_IFBLK | 0600, makedev(254, 0)))
ATTEMPT(make_memory, mknod("mem", S_IFCHR | 0600, makedev(1, 1)))
ATTEMPT(new_mounts, unshare(CLONE_NEWNS))
ATTEMPT(new_pids, unshare(CLONE_NEWPID))
ATTEMPT(new_network, unshare(CLONE_NEWNET))
ATTEMPT(join_own, setns(open("/proc/self/ns/mnt", O_RDONLY), 0))
ATTEMPT(signal_outside, kill(outside, SIGKILL))
ATTEMPT(signal_thread, syscall(SYS_tgkill, outside, outside, SIGKILL))
ATTEMPT(trace_outside, ptrace(PTRACE_ATTACH, outside, NULL, NULL))
ATTEMPT(read_outside, process_vm_readv(outside, &vector, 1, &vector, 1, 0))
ATTEMPT(pidfd_outside, syscall(SYS_pidfd_open, outside, 0))
ATTEMPT(limits_outside, syscall(SYS_prlimit64, outside, RLIMIT_CPU, &no_limit, NULL))
ATTEMPT(schedule_outside, sched_setscheduler(outside, SCHED_OTHER, &(struct sched_param){ 0 }))
ATTEMPT(own_outside, fcntl(0, F_SETOWN, outside))
ATTEMPT(own_group, fcntl(0, F_SETOWN, -outside))
ATTEMPT(signal_group, kill(-outside, SIGKILL))
ATTEMPT(queue_outside, syscall(SYS_rt_sigqueueinfo, outside, SIGKILL, &queued))
ATTEMPT(group_of_outside, getpgid(outside))
ATTEMPT(session_of_outside, getsid(outside))
ATTEMPT(join_group, setpgid(0, outside))
ATTEMPT(move_outside, setpgid(outside, outside))
ATTEMPT(wait_outside, waitpid(outside, NULL, WNOHANG))
ATTEMPT(wait_group, waitpid(-outside, NULL, WNOHANG))
ATTEMPT(slow_outside, setpriority(PRIO_PROCESS, (id_t)outside, 19))
ATTEMPT(slow_group, setpriority(PRIO_PGRP, (id_t)outside, 19))
ATTEMPT(io_outside, syscall(SYS_ioprio_get, 1, outside))
ATTEMPT(io_group, syscall(SYS_ioprio_get, 2, outside))
ATTEMPT(pin_outside, sched_setaffinity(outside, sizeof(cpu_set_t), &(cpu_set_t){}))
ATTEMPT(robust_outside, syscall(SYS_get_robust_list, outside, &head, &head_size))
ATTEMPT(compare_outside, syscall(SYS_kcmp, getpid(), outside, 1, 0, 0))
ATTEMPT(pages_outside, syscall(SYS_move_pages, outside, 0, NULL, NULL, NULL, 0))
ATTEMPT(migrate_outside, syscall(SYS_migrate_pages, outside, 64, &head, &head))
ATTEMPT(clock_of_outside, clock_gettime((clockid_t)(~(unsigned)outside << 3 | 2), &some_clock))
ATTEMPT(capabilities_outside, syscall(SYS_capget, &capability_header, capability_data))
ATTEMPT(proc_outside, access("/proc/20000", F_OK))
ATTEMPT(proc_write, open("/proc/sys/kernel/core_pattern", O_WRONLY))
ATTEMPT(proc_sysrq, open("/proc/sysrq-trigger", O_WRONLY))
ATTEMPT(proc_memory, open("/proc/kcore", O_RDONLY))
ATTEMPT(run_first, sched_setscheduler(0, SCHED_FIFO, &realtime))
ATTEMPT(be_nicer, setpriority(PRIO_PROCESS, 0, -20))
ATTEMPT(more_handles, setrlimit(RLIMIT_NOFILE, &no_limit))
ATTEMPT(own_shm, (long)shmat(shm, NULL, 0))
ATTEMPT(own_shm_key, shmget(KEY, 4096, 0))
ATTEMPT(message_queue, mq_open("/outside", O_RDONLY))
ATTEMPT(abstract_name,
	connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&abstract, sizeof(abstract)))
ATTEMPT(internet, connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&far, sizeof(far)))
ATTEMPT(internet6, connect(socket(AF_INET6, SOCK_STREAM, 0), (void *)&far6, sizeof(far6)))
ATTEMPT(datagram, sendto(socket(AF_INET, SOCK_DGRAM, 0), "x", 1, 0, (void *)&far, sizeof(far)))
ATTEMPT(loopback, connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&near, sizeof(near)))
ATTEMPT(raw_packets, socket(AF_INET, SOCK_RAW, IPPROTO_ICMP))
ATTEMPT(packets, socket(AF_PACKET, SOCK_RAW, 0))
ATTEMPT(interface, ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCSIFFLAGS, &interface_down))
ATTEMPT(set_clock, settimeofday(&some_time, NULL))
ATTEMPT(bend_clock, adjtimex(&clock_change))
ATTEMPT(host_name, sethostname("x", 1))
ATTEMPT(domain_name, setdomainname("x", 1))
ATTEMPT(restart, reboot(RB_AUTOBOOT))
ATTEMPT(load_module, syscall(SYS_init_module, word, sizeof(word), ""))
ATTEMPT(kernel_log, klogctl(3, word, sizeof(word)))
ATTEMPT(swap_here, swapon("/inside", 0))
ATTEMPT(by_handle, syscall(SYS_open_by_handle_at, AT_FDCWD, word, O_RDONLY))
ATTEMPT(programs_in_kernel, syscall(SYS_bpf, 0, word, sizeof(word)))
ATTEMPT(watch_everything, syscall(SYS_fanotify_init, 0, 0))
ATTEMPT(keys, syscall(SYS_keyctl, 0, -3, 0, 0, 0))
ATTEMPT(fake_typing, ioctl(0, TIOCSTI, "x"))
ATTEMPT(regain_capabilities, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 21, 0, 0))

#define CAPABILITY CAIRN_SILO_DENIED_CAPABILITY
#define PROCESS CAIRN_SILO_DENIED_PROCESS
#define SOCKET CAIRN_SILO_DENIED_SOCKET
#define ROW(name, recorded) { #name, name, recorded }

static const struct attempt attempts[] = {
	ROW(chroot_further, CAPABILITY),
	ROW(mount_memory, CAPABILITY),
	ROW(mount_proc, CAPABILITY),
	ROW(mount_devices, CAPABILITY),
	ROW(mount_bind, CAPABILITY),
	ROW(remount_proc, CAPABILITY),
	ROW(unmount_proc, CAPABILITY),
	ROW(pivot, CAPABILITY),
	ROW(make_disk, CAPABILITY),
	ROW(make_memory, CAPABILITY),
	ROW(new_mounts, CAPABILITY),
	ROW(new_pids, CAPABILITY),
	ROW(new_network, CAPABILITY),
	ROW(join_own, CAPABILITY),
	ROW(signal_outside, PROCESS),
	ROW(signal_thread, PROCESS),
	ROW(trace_outside, PROCESS),
	ROW(read_outside, PROCESS),
	ROW(pidfd_outside, PROCESS),
	ROW(limits_outside, PROCESS),
	ROW(schedule_outside, PROCESS),
	ROW(own_outside, PROCESS),
	ROW(own_group, PROCESS),
	ROW(signal_group, 0),
	ROW(queue_outside, PROCESS),
	ROW(group_of_outside, 0),
	ROW(session_of_outside, 0),
	ROW(join_group, 0),
	ROW(move_outside, 0),
	ROW(wait_outside, 0),
	ROW(wait_group, 0),
	ROW(slow_outside, PROCESS),
	ROW(slow_group, 0),
	ROW(io_outside, PROCESS),
	ROW(io_group, 0),
	ROW(pin_outside, PROCESS),
	ROW(robust_outside, PROCESS),
	ROW(compare_outside, PROCESS),
	ROW(pages_outside, PROCESS),
	ROW(migrate_outside, PROCESS),
	ROW(clock_of_outside, PROCESS),
	ROW(capabilities_outside, PROCESS),
	ROW(proc_outside, 0),
	ROW(proc_write, 0),
	ROW(proc_sysrq, 0),
	ROW(proc_memory, 0),
	ROW(run_first, CAPABILITY),
	ROW(be_nicer, CAPABILITY),
	ROW(more_handles, 0),
	ROW(own_shm, 0),
	ROW(own_shm_key, 0),
	ROW(message_queue, 0),
	ROW(abstract_name, SOCKET),
	ROW(internet, CAIRN_SILO_DENIED_ADDRESS),
	ROW(internet6, CAIRN_SILO_DENIED_ADDRESS),
	ROW(datagram, CAIRN_SILO_DENIED_ADDRESS),
	ROW(loopback, 0),
	ROW(raw_packets, CAPABILITY),
	ROW(packets, CAPABILITY),
	ROW(interface, CAPABILITY),
	ROW(set_clock, CAPABILITY),
	ROW(bend_clock, CAPABILITY),
	ROW(host_name, CAPABILITY),
	ROW(domain_name, CAPABILITY),
	ROW(restart, CAPABILITY),
	ROW(load_module, 0),
	ROW(kernel_log, CAPABILITY),
	ROW(swap_here, 0),
	ROW(by_handle, 0),
	ROW(programs_in_kernel, 0),
	ROW(watch_everything, 0),
	ROW(keys, 0),
	ROW(fake_typing, 0),
	ROW(regain_capabilities, 0),
};
#define COUNT (sizeof(attempts) / sizeof(attempts[0]))

static void make_silo(void)
{
	int root;

	mkdir("root", 0755);
	mkdir("root/d", 0755);
	mkdir("root/proc", 0755);
	make_file("root/inside", "in");
	root = open("root", O_RDONLY | O_DIRECTORY);
	silo = cairn_silo_create(CAIRN_HANDLE_KEEP_ON_FORK);
	REQUIRE(silo >= 0 && root >= 0);
	EXPECT_EQ(cairn_silo_configure(silo, CAIRN_SILO_ROOT, (__u64)root), 0);
	EXPECT_EQ(cairn_silo_mount(silo, "proc", CAIRN_SCHEME_PROC, 0), 0);
	shm = shmget(KEY, 4096, IPC_CREAT | 0666);
	EXPECT(shm >= 0);
}

/* Whether the ring has a record of this kind; it is empty then. */
static int take_records(unsigned kind)
{
	struct cairn_silo_event event;
	int found = 0;

	while (cairn_silo_event(silo, &event, CAIRN_SILO_NONBLOCK) == 0)
		found |= event.kind == kind;
	return found;
}

static void start_outside(void)
{
	struct clone_args args = { .exit_signal = SIGCHLD, .set_tid_size = 1 };
	int number = OUTSIDE;

	args.set_tid = (unsigned long)&number;
	outside = (int)syscall(SYS_clone3, &args, sizeof(args));
	REQUIRE(outside >= 0);
	if (outside == 0)
		for (setpgid(0, 0);;)
			pause();
	setpgid(outside, outside);
}

/* On loopback, at the address `near`. */
static void serve_outside(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	EXPECT_EQ(ioctl(fd, SIOCSIFFLAGS, &(struct ifreq){ .ifr_name = "lo", .ifr_flags = IFF_UP }),
		  0);
	EXPECT_EQ(bind(fd, (void *)&near, sizeof(near)), 0);
	EXPECT_EQ(listen(fd, 1), 0);
}

TEST(no_way_leads_out)
{
	static const int standard[] = { 0, 1, 2 };

	start_outside();
	serve_outside();
	make_silo();
	for (unsigned i = 0; i < COUNT; i++) {
		IN_CHILD(pid)
		{
			REQUIRE(cairn_silo_enter(silo, standard, 3) == 0);
			_exit(attempts[i].run() < 0 ? 0 : 1);
		}
		if (wait_status(pid) != 0)
			test_fail(__FILE__, __LINE__, "%s: a way out", attempts[i].name);
		if (!take_records(attempts[i].recorded) && attempts[i].recorded)
			test_fail(__FILE__, __LINE__, "%s: not recorded", attempts[i].name);
	}
	EXPECT_EQ(kill(outside, SIGKILL), 0); /* nobody did it before */
	EXPECT_EQ(wait_status(outside), 128 + SIGKILL);
	EXPECT_EQ(shmctl(shm, IPC_RMID, NULL), 0);
}
