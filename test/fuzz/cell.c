/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A cell of the fuzzer: things to call upon, and calls at random upon them. */
#define _GNU_SOURCE
#include "cell.h"

#include "grammar.h"

#include <linux/bpf.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>

#define CALLS 4000
#define ARENA_SIZE (64 * 1024ul)
#define FD_LIMIT 64

static _Thread_local uint64_t state;
static char *arena; /* what pointers point into; a hole follows it */

/* xorshift64 */
static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint64_t below(uint64_t limit)
{
	return next_random() % limit;
}

static bool one_in(unsigned n)
{
	return below(n) == 0;
}

/* --- things --- */

static const char *const paths[] = {
	"f",
	"g",
	"d",
	"d/f",
	"d/g",
	"link",
	"fifo",
	"new",
	"d/new",
	".",
	"..",
	"/",
	"",
	"d/../f",
	"f/",
	"d/",
	"/dev/null",
	"/dev/zero",
	"/dev/full",
	"/dev/ptmx",
	"/dev/tty",
	"/dev/random",
	"/dev/loop0",
	"/dev/ram0",
	"/proc/self",
	"/proc/self/maps",
	"/proc/self/fd",
	"/proc/self/fd/3",
	"/proc/self/mem",
	"/proc/self/ns/uts",
	"/proc/self/task",
	"/proc/self/environ",
	"/proc/self/pagemap",
	"/proc/self/oom_score_adj",
	"/proc/meminfo",
	"/proc/self/root/f",
	"/proc/self/attr/current",
	"/proc/self/clear_refs",
	"/proc/self/uid_map",
	"/proc/sys/kernel/hostname",
	"/proc/mounts",
	"/sys/class",
	"/sys/devices/system/cpu/online",
	"/dev/shm/x",
	"tmpfs",
	"proc",
	"ext4",
	"overlay",
	"user.name",
	"security.capability",
	"system.posix_acl_access",
	"eth0",
	"lo",
	"a-name-that-is-quite-long-for-a-file-but-still-legal-"
	"0123456789012345678901234567890123456789",
};

static void make_things(void)
{
	int fds[2];

	mkdir("d", 0755);
	close(open("f", O_RDWR | O_CREAT, 0644));
	close(open("d/f", O_RDWR | O_CREAT, 0644));
	if (symlink("f", "link") || mkfifo("fifo", 0644) || truncate("f", 10000))
		return;
	open("f", O_RDWR);
	open("d", O_RDONLY | O_DIRECTORY);
	if (pipe2(fds, O_NONBLOCK) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) ||
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds))
		return;
	eventfd(1, EFD_NONBLOCK);
	epoll_create1(0);
	inotify_init1(IN_NONBLOCK);
	timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	memfd_create("memory", MFD_ALLOW_SEALING);
	open("/proc/self/maps", O_RDONLY);
	open("/proc/self", O_RDONLY | O_DIRECTORY);
	open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
	open("/dev/zero", O_RDWR);
	socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, 0);
	syscall(SYS_pidfd_open, getpid(), 0);
	union bpf_attr map = {
		.map_type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8, .max_entries = 5
	};
	syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof(map));
	const struct bpf_insn accept[] = { { BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1 },
					   { BPF_JMP | BPF_EXIT, 0, 0, 0, 0 } };
	union bpf_attr program = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
				   .insn_cnt = 2,
				   .insns = (uintptr_t)accept,
				   .license = (uintptr_t)"GPL" };
	syscall(SYS_bpf, BPF_PROG_LOAD, &program, sizeof(program));
}

/* --- arguments --- */

static uint64_t number(void)
{
	static const int64_t near_edges[] = { -1,	  -2,	     127,	128,
					      255,	  4095,	     4096,	4097,
					      65535,	  65536,     INT32_MAX, INT32_MIN,
					      UINT32_MAX, INT64_MAX, INT64_MIN, 1ll << 32,
					      1ll << 40 };

	switch (below(8)) {
	case 0:
		return 0;
	case 1:
		return (uint64_t)near_edges[below(sizeof(near_edges) / sizeof(near_edges[0]))];
	case 2:
		return 1ull << below(64);
	case 3:
		return next_random();
	case 4:
		return below(4096);
	default:
		return below(40);
	}
}

static uint64_t flags(void)
{
	uint64_t bits = 0;

	if (one_in(12))
		return next_random();
	for (uint64_t n = below(4); n; n--)
		bits |= 1ull << below(one_in(4) ? 32 : 12);
	return bits;
}

static uint64_t descriptor(void)
{
	return one_in(20) ? number() : 3 + below(one_in(4) ? FD_LIMIT : 24);
}

static char *pointer(void)
{
	if (one_in(40))
		return (char *)(one_in(2) ? number() : 0xffff800000000000ull + below(1ull << 32));
	if (one_in(30))
		return arena + ARENA_SIZE - below(16); /* runs over the end */
	return one_in(12) ? NULL : arena + below(ARENA_SIZE / 16) * 16;
}

/* A word that a structure may hold. */
static uint64_t member(void)
{
	switch (below(7)) {
	case 0:
		return (uint64_t)(uintptr_t)(arena + below(ARENA_SIZE / 8) * 8);
	case 1:
		return descriptor() | below(4096) << 32;
	case 2:
		return flags();
	case 3:
		return below(16) | below(16) << 32;
	default:
		return number();
	}
}

/* A structure, or a vector of them, somewhere in the arena. */
static char *structure(void)
{
	char *p = pointer();
	uint64_t words = 1 + below(16);

	if (p < arena || p + words * 8 > arena + ARENA_SIZE)
		return p;
	for (uint64_t i = 0; i < words; i++) {
		uint64_t value = member();

		memcpy(p + i * 8, &value, 8);
	}
	return p;
}

static char *path(void)
{
	const char *text = paths[below(sizeof(paths) / sizeof(paths[0]))];
	char *p = pointer();

	if (p >= arena && p + 256 <= arena + ARENA_SIZE)
		memcpy(p, text, strlen(text) + 1);
	return p;
}

/* A vector of texts, as execve takes. */
static char *vector(void)
{
	char *p = pointer();

	if (p < arena || p + 64 > arena + ARENA_SIZE)
		return p;
	for (unsigned i = 0; i < 4; i++) {
		char *text = i < 3 ? path() : NULL;

		memcpy(p + i * sizeof(text), &text, sizeof(text));
	}
	return p;
}

static uint64_t process(void)
{
	switch (below(6)) {
	case 0:
		return 0;
	case 1:
		return number();
	case 2:
		return below(8);
	default:
		return (uint64_t)getpid();
	}
}

static uint64_t argument(enum argument_kind kind)
{
	static const unsigned ids[] = { 0, 1, 1000, 65534, UINT32_MAX };

	switch (kind) {
	case ARGUMENT_FLAGS:
		return one_in(4) ? number() : flags();
	case ARGUMENT_FD:
		return descriptor();
	case ARGUMENT_DIRFD:
		return one_in(3) ? descriptor() : (uint64_t)AT_FDCWD;
	case ARGUMENT_PID:
		return process();
	case ARGUMENT_UID:
		return ids[below(sizeof(ids) / sizeof(ids[0]))];
	case ARGUMENT_SIGNAL:
		return below(66);
	case ARGUMENT_MODE:
		return below(010000) | (one_in(3) ? below(16) << 12 : 0);
	case ARGUMENT_CLOCK:
		return one_in(8) ? number() : below(12);
	case ARGUMENT_SIZE:
		return one_in(6) ? number() : below(2) ? below(33) * 8 : below(3 * 4096);
	case ARGUMENT_PATH:
		return (uint64_t)(uintptr_t)path();
	case ARGUMENT_VECTOR:
		return (uint64_t)(uintptr_t)vector();
	case ARGUMENT_ADDRESS:
		return (uint64_t)(uintptr_t)pointer() & ~(one_in(4) ? 0 : 4095ull);
	case ARGUMENT_POINTER:
		return (uint64_t)(uintptr_t)structure();
	default:
		return number();
	}
}

/* --- bpf(2) --- */

/* Instructions that may follow each other, now and then. */
static void fill_program(struct bpf_insn *program, unsigned count)
{
	static const uint8_t codes[] = {
		BPF_ALU64 | BPF_MOV | BPF_K,
		BPF_ALU64 | BPF_MOV | BPF_X,
		BPF_ALU64 | BPF_ADD | BPF_K,
		BPF_ALU64 | BPF_ADD | BPF_X,
		BPF_ALU | BPF_AND | BPF_K,
		BPF_LDX | BPF_MEM | BPF_W,
		BPF_STX | BPF_MEM | BPF_DW,
		BPF_ST | BPF_MEM | BPF_W,
		BPF_JMP | BPF_JEQ | BPF_K,
		BPF_JMP32 | BPF_JSGT | BPF_X,
		BPF_JMP | BPF_CALL,
		BPF_LD | BPF_ABS | BPF_B,
		BPF_STX | BPF_ATOMIC | BPF_DW,
	};

	program[0] = (struct bpf_insn){ BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0 };
	for (unsigned i = 1; i < count - 2; i++) {
		uint8_t code = one_in(20) ? (uint8_t)next_random() : codes[below(sizeof(codes))];
		uint8_t src = (code & 8) || (code & 7) == BPF_LDX || (code & 7) == BPF_STX ? 1 : 0;

		program[i] = (struct bpf_insn){
			.code = code,
			.dst_reg = code == (BPF_JMP | BPF_CALL) || (code & 7) == BPF_LD
					   ? 0
					   : 6 * below(2),
			.src_reg = src ? (one_in(3) ? 10 : 6) : 0,
			.off = (code & 7) == BPF_ALU64 || one_in(2) ? 0
								    : (int16_t)(below(4) * 8 - 8),
			.imm = (int32_t)below(64),
		};
	}
	program[count - 2] = (struct bpf_insn){ BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1 };
	program[count - 1] = (struct bpf_insn){ BPF_JMP | BPF_EXIT, 0, 0, 0, 0 };
}

/* The arguments of a command that exists. */
static void prepare_bpf(uint64_t *a)
{
	static const uint8_t commands[] = {
		BPF_MAP_CREATE,	     BPF_MAP_LOOKUP_ELEM,    BPF_MAP_UPDATE_ELEM,
		BPF_MAP_DELETE_ELEM, BPF_MAP_GET_NEXT_KEY,   BPF_PROG_LOAD,
		BPF_PROG_TEST_RUN,   BPF_OBJ_GET_INFO_BY_FD,
	};
	union bpf_attr *attr = (union bpf_attr *)(arena + below(64) * 8);
	struct bpf_insn *program = (struct bpf_insn *)(arena + 4096);

	a[0] = commands[below(sizeof(commands))];
	a[1] = (uintptr_t)attr;
	a[2] = sizeof(*attr);
	memset(attr, 0, sizeof(*attr));
	if (a[0] == BPF_MAP_CREATE) {
		attr->map_type = (unsigned)below(8);
		attr->key_size = 4;
		attr->value_size = (unsigned)(one_in(8) ? number() : 1 + below(64));
		attr->max_entries = (unsigned)(one_in(8) ? below(100000) : 1 + below(9));
	} else if (a[0] == BPF_PROG_LOAD) {
		attr->prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
		attr->insn_cnt = (unsigned)(3 + below(12));
		attr->insns = (uintptr_t)program;
		attr->license = (uintptr_t)"GPL";
		fill_program(program, attr->insn_cnt);
	} else if (a[0] == BPF_PROG_TEST_RUN) {
		attr->test.prog_fd = (unsigned)descriptor();
		attr->test.data_in = attr->test.data_out = (uintptr_t)pointer();
		attr->test.data_size_in = (unsigned)below(4000);
	} else if (a[0] == BPF_OBJ_GET_INFO_BY_FD) {
		attr->info.bpf_fd = (unsigned)descriptor();
		attr->info.info_len = (unsigned)below(300);
		attr->info.info = (uintptr_t)pointer();
	} else {
		attr->map_fd = (unsigned)descriptor();
		attr->key = (uintptr_t)pointer();
		if (a[0] != BPF_MAP_DELETE_ELEM)
			attr->value = (uintptr_t)pointer();
		attr->flags = a[0] == BPF_MAP_UPDATE_ELEM ? below(4) : 0;
	}
}

/* --- calls --- */

/* What would end the cell at once, or take the machine with it. */
static bool is_left_out(long call)
{
	static const long left_out[] = {
		SYS_exit,	SYS_exit_group, SYS_reboot,    SYS_rt_sigreturn,
		SYS_kexec_load, SYS_vhangup,	SYS_setrlimit, SYS_prlimit64,
#ifdef SYS_pause
		SYS_pause,	SYS_vfork,
#endif
	};

	for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++)
		if (left_out[i] == call)
			return true;
	return false;
}

static void call_once(void)
{
	unsigned place = (unsigned)below(grammar_count);
	const struct grammar_call *call = &grammar[place];
	uint64_t a[6] = { 0 };
	long self = getpid();

	if (is_left_out(call->number))
		return;
	for (unsigned i = 0; i < 6; i++)
		a[i] = i < call->count ? argument(call->kinds[i]) : next_random();
	/* Who attaches to process 1 stops it, as on Linux. */
	if (call->number == SYS_ptrace && (int)a[1] == 1)
		return;
	/* Commands that somebody may know: terminals, files, sockets, block devices. */
	static const unsigned command_bases[] = { 0x5400, 0x5420, 0x8900, 0x8910,
						  0x1260, 0x4c00, 0x6600 };
	if (call->number == SYS_ioctl && !one_in(8))
		a[1] = command_bases[below(sizeof(command_bases) / sizeof(command_bases[0]))] +
		       below(32);
	if (call->number == SYS_bpf && !one_in(8))
		prepare_bpf(a);
	/* A child with a stack that may be anywhere does not come back here. */
	if (call->number == SYS_clone)
		a[0] &= ~(uint64_t)(CLONE_VM | CLONE_VFORK), a[1] = 0;
	long result = syscall(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (syscall(SYS_getpid) != self)
		_exit(0);
	__atomic_fetch_add(&shared->calls[place], 1, __ATOMIC_RELAXED);
	if (result >= 0)
		__atomic_fetch_add(&shared->successes[place], 1, __ATOMIC_RELAXED);
}

static void on_signal(int signo)
{
	(void)signo;
}

static void *calls(void *seed)
{
	state = 0x9e3779b97f4a7c15ull * ((uint64_t)(uintptr_t)seed + 1);
	for (unsigned i = 0; i < CALLS; i++)
		call_once();
	return NULL;
}

static void limit(int resource, rlim_t value)
{
	struct rlimit r = { value, value };

	setrlimit(resource, &r);
}

void cell(unsigned long seed)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct itimerval often = { { 0, 7000 }, { 0, 7000 } };
	pthread_t second;

	for (int fd = 0; fd < 3; fd++)
		dup2(null_file, fd);
	close(null_file);
	if (shared->isolated) {
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
		mount("cell", "/tmp", "tmpfs", 0, "size=8m");
	}
	if (chdir("/tmp"))
		_exit(1);
	arena = mmap(NULL, ARENA_SIZE + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		     -1, 0);
	munmap(arena + ARENA_SIZE, 4096);
	make_things();
	limit(RLIMIT_NOFILE, FD_LIMIT);
	limit(RLIMIT_AS, 256ul << 20);
	limit(RLIMIT_FSIZE, 8ul << 20);
	limit(RLIMIT_NPROC, 30);
	for (int signo = 1; signo < SIGRTMAX; signo++)
		if (signo != SIGSEGV && signo != SIGBUS && signo != SIGILL)
			sigaction(signo, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	/* Every other cell is nobody's. */
	if (seed % 2 && (setgid(65534) || setuid(65534)))
		_exit(1);
	if (pthread_create(&second, NULL, calls, (void *)(uintptr_t)(2 * seed + 1)) == 0)
		calls((void *)(uintptr_t)(2 * seed));
	_exit(0);
}
