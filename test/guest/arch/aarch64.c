/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What aarch64 programs see of the CPU: faults and their signals, registers across signals and
 * switches, ID registers. */
#ifdef __aarch64__
#include "guest_test.h"

#include <asm/hwcap.h>
#include <asm/sigcontext.h>
#include <setjmp.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>

/* --- which signal an instruction causes --- */

static sigjmp_buf after_fault;
static volatile siginfo_t fault_info;
static volatile uint64_t fault_pc;

static void note_fault(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	fault_info = *info;
	fault_pc = ((ucontext_t *)context)->uc_mcontext.pc;
	siglongjmp(after_fault, 1);
}

static void catch_faults(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE };
	struct sigaction action = { .sa_sigaction = note_fault, .sa_flags = SA_SIGINFO };

	memset((void *)&fault_info, 0, sizeof(fault_info));
	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
}

#define EXPECT_FAULT(statement, signo, code)                                                       \
	do {                                                                                       \
		catch_faults();                                                                    \
		if (!sigsetjmp(after_fault, 1)) {                                                  \
			statement;                                                                 \
			EXPECT(!"no fault: " #statement);                                          \
		}                                                                                  \
		EXPECT_EQ(fault_info.si_signo, (signo));                                           \
		EXPECT_EQ(fault_info.si_code, (code));                                             \
	} while (0)

TEST(wrong_memory_accesses_raise_sigsegv)
{
	char *page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(page + 4096, 4096);
	EXPECT_FAULT(*(volatile char *)(page + 4097), SIGSEGV, SEGV_MAPERR);
	EXPECT_EQ(fault_info.si_addr, page + 4097);
	EXPECT_FAULT(*(volatile char *)(page + 5) = 1, SIGSEGV, SEGV_ACCERR);
	EXPECT_EQ(fault_info.si_addr, page + 5);
	EXPECT_FAULT(((void (*)(void))page)(), SIGSEGV, SEGV_ACCERR);
	EXPECT_EQ(fault_pc, page);
	EXPECT_FAULT(*(volatile char *)0xffff000040000000ul, SIGSEGV, SEGV_MAPERR);
	EXPECT_FAULT(*(volatile char *)0xffffffff80000000ul = 0, SIGSEGV, SEGV_MAPERR);
}

TEST(tagged_addresses_are_followed)
{
	volatile int word = 5;
	volatile int *tagged = (volatile int *)((uint64_t)&word | 0xab00000000000000ul);

	EXPECT_EQ(*tagged, 5);
}

TEST(misaligned_accesses_raise_sigbus)
{
	uint64_t words[2];
	uint32_t value;

	EXPECT_FAULT(asm volatile("ldxr %w0, [%1]" : "=r"(value) : "r"((char *)words + 1)), SIGBUS,
		     BUS_ADRALN);
	/* To code, or the page would not be executable, which comes first. */
	EXPECT_FAULT(asm volatile("br %0" : : "r"((char *)catch_faults + 2)), SIGBUS, BUS_ADRALN);
}

TEST(instructions_of_the_kernel_raise_sigill)
{
	EXPECT_FAULT(asm volatile(".inst 0"), SIGILL, ILL_ILLOPC);
	EXPECT_FAULT(asm volatile("msr ttbr0_el1, xzr"), SIGILL, ILL_ILLOPC);
	EXPECT_FAULT(asm volatile("msr daifset, #2"), SIGILL, ILL_ILLOPC);
	EXPECT_FAULT(asm volatile("mrs x9, sctlr_el1" : : : "x9"), SIGILL, ILL_ILLOPC);
	EXPECT_FAULT(asm volatile("hvc #0"), SIGILL, ILL_ILLOPC);
	EXPECT_FAULT(asm volatile("eret"), SIGILL, ILL_ILLOPC);
	EXPECT_FAULT(asm volatile("tlbi vmalle1"), SIGILL, ILL_ILLOPC);
}

TEST(breakpoints_raise_sigtrap)
{
	EXPECT_FAULT(asm volatile("brk #17"), SIGTRAP, TRAP_BRKPT);
	EXPECT_EQ(fault_info.si_addr, fault_pc);
}

/* --- registers across a signal --- */

static volatile bool frame_is_good;

static void clobber_and_skip(int signo, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	struct fpsimd_context *fp = (void *)uc->uc_mcontext.__reserved;
	uint64_t *record = __builtin_frame_address(0);

	(void)signo;
	(void)info;
	uc->uc_mcontext.pc += 4;
	frame_is_good = fp->head.magic == FPSIMD_MAGIC && fp->head.size == sizeof(*fp) &&
			(uint64_t)context % 16 == 0 && uc->uc_mcontext.regs[19] == 1019 &&
			((uint64_t *)record[0])[1] == uc->uc_mcontext.regs[30];
	asm volatile(
		"movi v0.16b, #0x55\n\tmovi v8.16b, #0x55\n\tmovi v31.16b, #0x55\n\tmsr fpcr, %0"
		:
		: "r"(3ul << 22)
		: "v0", "v8", "v31");
}

TEST(a_handler_changes_no_register)
{
	struct sigaction action = { .sa_sigaction = clobber_and_skip, .sa_flags = SA_SIGINFO };
	uint64_t sum, vector, flags, fpcr;

	sigaction(SIGILL, &action, NULL);
	asm volatile("mov x19, #1019\n\tmov x1, #1001\n\tmov x8, #1008\n\tmov x18, #1018\n\tmov "
		     "x28, #1028\n\t"
		     "movi v0.16b, #1\n\tmovi v8.16b, #2\n\tmovi v31.16b, #3\n\tmsr fpcr, xzr\n\t"
		     "cmp xzr, xzr\n\t.inst 0\n\t"
		     "mrs %2, nzcv\n\tmrs %3, fpcr\n\t"
		     "add x1, x1, x8\n\tadd x1, x1, x18\n\tadd x1, x1, x19\n\tadd %0, x1, x28\n\t"
		     "add v0.16b, v0.16b, v8.16b\n\tadd v0.16b, v0.16b, v31.16b\n\tumov %1, v0.d[1]"
		     : "=&r"(sum), "=&r"(vector), "=&r"(flags), "=&r"(fpcr)
		     :
		     : "x1", "x8", "x18", "x19", "x28", "v0", "v8", "v31", "cc", "memory");
	EXPECT(frame_is_good);
	EXPECT_EQ(sum, 1001 + 1008 + 1018 + 1019 + 1028);
	EXPECT_EQ(vector, 0x0606060606060606);
	EXPECT_EQ(flags, 0x60000000);
	EXPECT_EQ(fpcr, 0);
}

static void become_kernel(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)info;
	((ucontext_t *)context)->uc_mcontext.pstate |= 5;
}

static void lose_fpsimd(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)info;
	memset(((ucontext_t *)context)->uc_mcontext.__reserved, 0, 16);
}

static int status_of_handler(void (*handler)(int, siginfo_t *, void *))
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

		signal(SIGSEGV, SIG_DFL);
		sigaction(SIGUSR1, &action, NULL);
		raise(SIGUSR1);
		_exit(0);
	}
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST(a_bad_signal_frame_kills)
{
	EXPECT_EQ(status_of_handler(become_kernel), SIGSEGV);
	EXPECT_EQ(status_of_handler(lose_fpsimd), SIGSEGV);
}

/* --- registers across switches --- */

TEST(vector_registers_belong_to_their_process)
{
	pid_t children[4];

	for (int c = 0; c < 4; c++) {
		children[c] = fork();
		if (children[c])
			continue;
		double x = c + 1;

		for (int i = 0; i < 200; i++) {
			uint64_t before = (uint64_t)(c + 1) * 0x0101010101010101, after;

			asm volatile("dup v17.2d, %1\n\tmov x8, %2\n\tsvc #0\n\tumov %0, v17.d[1]"
				     : "=r"(after)
				     : "r"(before), "i"(SYS_sched_yield)
				     : "x0", "x8", "v17", "memory");
			x = x * 1.5 / 1.5;
			if (after != before || x < c + 0.999 || x > c + 1.001)
				_exit(1);
		}
		_exit(0);
	}
	for (int c = 0; c < 4; c++) {
		int status = -1;

		waitpid(children[c], &status, 0);
		EXPECT_EQ(status, 0);
	}
}

/* --- what EL0 may read and do --- */

TEST(id_registers_can_be_read)
{
	uint64_t midr, isar0, pfr0, mpidr, cache;

	EXPECT(getauxval(AT_HWCAP) & HWCAP_CPUID);
	asm volatile("mrs %0, midr_el1" : "=r"(midr));
	asm volatile("mrs %0, id_aa64isar0_el1" : "=r"(isar0));
	asm volatile("mrs %0, id_aa64pfr0_el1" : "=r"(pfr0));
	asm volatile("mrs %0, mpidr_el1" : "=r"(mpidr));
	asm volatile("mrs %0, ctr_el0" : "=r"(cache));
	EXPECT_NE(midr, 0);
	EXPECT_EQ(mpidr, 1ul << 31);
	EXPECT_EQ(pfr0 & 0xff, 0x11);
	EXPECT_EQ(!!(isar0 >> 4 & 0xf), !!(getauxval(AT_HWCAP) & HWCAP_AES));
	EXPECT_EQ((isar0 >> 20 & 0xf) == 2, !!(getauxval(AT_HWCAP) & HWCAP_ATOMICS));
	EXPECT_EQ(cache >> 31, 1);
}

TEST(code_can_be_written_and_run)
{
	uint32_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (uint32_t i = 0; i < 3; i++) {
		code[0] = 0x52800000 | i << 5; /* mov w0, #i */
		code[1] = 0xd65f03c0;	       /* ret */
		__builtin___clear_cache((char *)code, (char *)(code + 2));
		EXPECT_EQ(((int (*)(void))code)(), i);
	}
}

TEST(cache_blocks_can_be_zeroed)
{
	uint64_t type;
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	asm volatile("mrs %0, dczid_el0" : "=r"(type));
	if (type & 16)
		return;
	memset(page, 1, 4096);
	asm volatile("dc zva, %0" : : "r"(page) : "memory");
	EXPECT_EQ(page[0], 0);
	EXPECT_EQ(page[(4u << (type & 15)) - 1], 0);
	EXPECT_EQ(page[4u << (type & 15)], 1);
}

/* --- the vDSO --- */

static int64_t ns_of(const struct timespec *t)
{
	return t->tv_sec * 1000000000ll + t->tv_nsec;
}

TEST(vdso_and_system_call_tell_the_same_time)
{
	static const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME };

	EXPECT_NE(getauxval(AT_SYSINFO_EHDR), 0);
	for (unsigned i = 0; i < 3; i++) {
		struct timespec first, second, third;

		syscall(SYS_clock_gettime, clocks[i], &first);
		EXPECT_EQ(clock_gettime(clocks[i], &second), 0);
		syscall(SYS_clock_gettime, clocks[i], &third);
		EXPECT(ns_of(&first) <= ns_of(&second));
		EXPECT(ns_of(&second) <= ns_of(&third));
	}
	EXPECT_EQ(clock_gettime(99, &(struct timespec){}), -1);
	EXPECT_EQ(errno, EINVAL);
}
#endif
