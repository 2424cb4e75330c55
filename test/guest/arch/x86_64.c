/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What programs see of an x86_64 CPU: exceptions as signals, registers that survive, the signal
 * frame. */
#ifdef __x86_64__
#include "guest_test.h"

#include <asm/prctl.h>
#include <cpuid.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>

/* Of the last signal. */
static siginfo_t seen;
static uint64_t seen_rip, seen_trap, seen_error, seen_address;
static volatile int seen_count;
static sigjmp_buf resume;

static void handler(int signo, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	(void)signo;
	seen = *info;
	seen_rip = uc->uc_mcontext.gregs[REG_RIP];
	seen_trap = uc->uc_mcontext.gregs[REG_TRAPNO];
	seen_error = uc->uc_mcontext.gregs[REG_ERR];
	seen_address = uc->uc_mcontext.gregs[REG_CR2];
	seen_count++;
	siglongjmp(resume, 1);
}

static void catch(int signo, void (*fn)(int, siginfo_t *, void *))
{
	struct sigaction sa = { .sa_sigaction = fn, .sa_flags = SA_SIGINFO };
	EXPECT_EQ(sigaction(signo, &sa, NULL), 0);
}

/* Runs the statement, which must raise the signal with this code, trap number and error code. */
#define RAISES(signo, code, trap, error, ...)                                                      \
	do {                                                                                       \
		catch(signo, handler);                                                             \
		memset(&seen, 0, sizeof(seen));                                                    \
		if (!sigsetjmp(resume, 1)) {                                                       \
			__VA_ARGS__;                                                               \
		}                                                                                  \
		EXPECT_EQ(seen.si_signo, signo);                                                   \
		EXPECT_EQ(seen.si_code, code);                                                     \
		EXPECT_EQ(seen_trap, trap);                                                        \
		EXPECT_EQ(seen_error, error);                                                      \
		signal(signo, SIG_DFL);                                                            \
	} while (0)

TEST(divide_error)
{
	RAISES(SIGFPE, FPE_INTDIV, 0, 0,
	       asm volatile("xorl %%ecx, %%ecx; divl %%ecx" :: : "eax", "ecx", "edx"));
	EXPECT_EQ((uint64_t)seen.si_addr, seen_rip);
}

TEST(invalid_opcode)
{
	RAISES(SIGILL, ILL_ILLOPN, 6, 0, asm volatile("ud2"));
	EXPECT_EQ((uint64_t)seen.si_addr, seen_rip);
}

TEST(breakpoint)
{
	RAISES(SIGTRAP, SI_KERNEL, 3, 0, asm volatile("int3"));
	EXPECT_EQ((uint64_t)seen.si_addr, 0);
}

TEST(privileged_instructions)
{
	RAISES(SIGSEGV, SI_KERNEL, 13, 0, asm volatile("hlt"));
	EXPECT_EQ((uint64_t)seen.si_addr, 0);
	RAISES(SIGSEGV, SI_KERNEL, 13, 0, asm volatile("cli"));
	RAISES(SIGSEGV, SI_KERNEL, 13, 0, asm volatile("outb %%al, $0x80" :: : "memory"));
	RAISES(SIGSEGV, SI_KERNEL, 13, 0, asm volatile("rdmsr" :: : "eax", "edx"));
}

TEST(access_to_addresses_that_are_not_canonical)
{
	RAISES(SIGSEGV, SI_KERNEL, 13, 0, *(volatile char *)0x8000000000000000 = 1);
	EXPECT_EQ((uint64_t)seen.si_addr, 0);
}

TEST(jump_to_an_address_that_is_not_canonical)
{
	catch(SIGSEGV, handler);
	memset(&seen, 0, sizeof(seen));
	if (!sigsetjmp(resume, 1))
		((void (*)(void))0x8000000000000000)();
	EXPECT_EQ(seen.si_signo, SIGSEGV);
}

/* Where the processor itself reads the stack, some do so with the rights of the kernel. */
static void expect_child_ends(void (*run)(void))
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		run();
		_exit(0);
	}
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
}

static void return_far_32(void)
{
	asm volatile("xorl %%eax, %%eax; movl %%eax, %%es; pushq $0; .byte 0xcb" ::
			     : "eax", "memory");
}

static void return_far_64(void)
{
	asm volatile("movl %%cs, %%eax; pushq %%rax; leaq 1f(%%rip), %%rax; pushq %%rax; .byte "
		     "0x48, 0xcb; 1:" ::
			     : "rax", "memory");
}

static void return_from_interrupt(void)
{
	asm volatile("movq %%rsp, %%rcx; movl %%ss, %%eax; pushq %%rax; pushq %%rcx; pushfq; movl "
		     "%%cs, %%eax; pushq %%rax;"
		     "leaq 1f(%%rip), %%rax; pushq %%rax; iretq; 1:" ::
			     : "rax", "rcx", "memory");
}

TEST(far_returns_of_a_program_are_its_own_affair)
{
	expect_child_ends(return_far_32);
	expect_child_ends(return_far_64);
	expect_child_ends(return_from_interrupt);
}

static void return_to_nowhere(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)info;
	catch(SIGSEGV, handler);
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] = 0x8000000000000000;
}

TEST(sigreturn_to_an_address_that_is_not_canonical)
{
	catch(SIGUSR1, return_to_nowhere);
	memset(&seen, 0, sizeof(seen));
	if (!sigsetjmp(resume, 1))
		raise(SIGUSR1);
	EXPECT_EQ(seen.si_signo, SIGSEGV);
	EXPECT_EQ(seen.si_code, SI_KERNEL);
}

TEST(page_faults_tell_address_and_reason)
{
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	RAISES(SIGSEGV, SEGV_MAPERR, 14, 4, (void)*(volatile char *)16);
	EXPECT_EQ((uint64_t)seen.si_addr, 16);
	EXPECT_EQ(seen_address, 16);
	RAISES(SIGSEGV, SEGV_MAPERR, 14, 6, *(volatile char *)24 = 0);
	EXPECT_EQ((uint64_t)seen.si_addr, 24);
	(void)*(volatile char *)page;
	RAISES(SIGSEGV, SEGV_ACCERR, 14, 7, *(volatile char *)page = 0);
	EXPECT_EQ(seen.si_addr, page);
	RAISES(SIGSEGV, SEGV_ACCERR, 14, 0x15, ((void (*)(void))page)());
	EXPECT_EQ(seen.si_addr, page);
	EXPECT_EQ(seen_rip, (uint64_t)page);
}

TEST(kernel_addresses_look_unmapped)
{
	RAISES(SIGSEGV, SEGV_MAPERR, 14, 5, (void)*(volatile char *)0xffffffff80100000);
	EXPECT_EQ((uint64_t)seen.si_addr, 0xffffffff80100000);
}

TEST(x87_invalid_operation)
{
	uint16_t control = 0x37e;
	RAISES(SIGFPE, FPE_FLTINV, 16, 0,
	       asm volatile("fninit; fldcw %0; fldz; fldz; fdivrp; fwait" ::"m"(control)));
	asm volatile("fninit");
}

static volatile int steps;
static void count_step(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	EXPECT_EQ(info->si_code, TRAP_TRACE);
	steps++;
}

TEST(single_steps)
{
	long result;
	catch(SIGTRAP, count_step);
	asm volatile("pushfq; orq $0x100, (%%rsp); popfq\n"
		     "nop\nnop\n"
		     "syscall\n"
		     "nop\n"
		     "pushfq; andq $~0x100, (%%rsp); popfq\n"
		     : "=a"(result)
		     : "a"(SYS_getppid)
		     : "rcx", "r11", "memory");
	EXPECT_EQ(result, getppid());
	/* nop, nop, syscall, nop, pushfq, andq, popfq; QEMU does not stop after the system call. */
	EXPECT(steps == 6 || steps == 7);
}

TEST(alignment_check)
{
	static uint64_t words[2];
	catch(SIGBUS, handler);
	if (!sigsetjmp(resume, 1))
		asm volatile("pushfq; orq $0x40000, (%%rsp); popfq; movl 1(%0), %%eax" ::"r"(words)
			     : "rax", "memory");
	asm volatile("pushfq; andq $~0x40000, (%%rsp); popfq" ::: "memory");
	if (seen_count) { /* not every emulator does it */
		EXPECT_EQ(seen.si_signo, SIGBUS);
		EXPECT_EQ(seen.si_code, BUS_ADRALN);
	}
}

TEST(system_calls_keep_registers_and_flags)
{
	struct regs {
		uint64_t rbx, rbp, r8, r9, r10, r12, r13, r14, r15, rdi, rsi, rdx, flags;
	} r;
	asm volatile(
		"pushq %%rbp\n"
		"movq %%rax, %%rbp\n pushq %%rax\n"
		"movl $0x101, %%ebx; movl $0x108, %%r8d; movl $0x109, %%r9d; movl $0x110, %%r10d\n"
		"movl $0x112, %%r12d; movl $0x113, %%r13d; movl $0x114, %%r14d; movl $0x115, "
		"%%r15d\n"
		"movl $0x201, %%edi; movl $0x202, %%esi; movl $0x203, %%edx\n"
		"movl $0x55, %%ebp; movl %1, %%eax\n"
		"std; stc\n"
		"syscall\n"
		"pushfq; popq %%rcx; cld\n"
		"popq %%rax\n"
		"movq %%rbx, 0(%%rax); movq %%rbp, 8(%%rax); movq %%r8, 16(%%rax); movq %%r9, "
		"24(%%rax)\n"
		"movq %%r10, 32(%%rax); movq %%r12, 40(%%rax); movq %%r13, 48(%%rax); movq %%r14, "
		"56(%%rax)\n"
		"movq %%r15, 64(%%rax); movq %%rdi, 72(%%rax); movq %%rsi, 80(%%rax); movq %%rdx, "
		"88(%%rax)\n"
		"movq %%rcx, 96(%%rax); popq %%rbp"
		:
		: "a"(&r), "i"(SYS_getppid)
		: "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
		  "r15", "memory", "cc");
	EXPECT_EQ(r.rbx, 0x101);
	EXPECT_EQ(r.rbp, 0x55);
	EXPECT_EQ(r.r8, 0x108);
	EXPECT_EQ(r.r9, 0x109);
	EXPECT_EQ(r.r10, 0x110);
	EXPECT_EQ(r.r12, 0x112);
	EXPECT_EQ(r.r13, 0x113);
	EXPECT_EQ(r.r14, 0x114);
	EXPECT_EQ(r.r15, 0x115);
	EXPECT_EQ(r.rdi, 0x201);
	EXPECT_EQ(r.rsi, 0x202);
	EXPECT_EQ(r.rdx, 0x203);
	EXPECT_EQ(r.flags & 0x401, 0x401);
}

TEST(arch_prctl_sets_and_tells_gs)
{
	uint64_t value = 0, fs = 0;
	static uint64_t words[2] = { 0x1234, 0x5678 };
	EXPECT_EQ(syscall(SYS_arch_prctl, ARCH_SET_GS, words), 0);
	EXPECT_EQ(syscall(SYS_arch_prctl, ARCH_GET_GS, &value), 0);
	EXPECT_EQ(value, (uint64_t)words);
	asm("movq %%gs:8, %0" : "=r"(value));
	EXPECT_EQ(value, 0x5678);
	EXPECT_EQ(syscall(SYS_arch_prctl, ARCH_GET_FS, &fs), 0);
	asm("movq %%fs:0, %0" : "=r"(value));
	EXPECT_EQ(value, fs);
	IN_CHILD(pid)
	{
		sleep_ms(1);
		asm("movq %%gs:0, %0" : "=r"(value));
		_exit(value == 0x1234 ? 0 : 1);
	}
	EXPECT_EQ(wait_status(pid), 0);
	asm("movq %%gs:0, %0" : "=r"(value));
	EXPECT_EQ(value, 0x1234);
	EXPECT_ERRNO(syscall(SYS_arch_prctl, ARCH_SET_GS, 0xffff800000000000), EPERM);
	EXPECT_ERRNO(syscall(SYS_arch_prctl, 0x9999, 0), EINVAL);
}

static bool has_avx(void)
{
	unsigned a, b, c, d;
	return __get_cpuid(1, &a, &b, &c, &d) && (c & (1 << 27)) && (c & (1 << 28));
}

/* Fills the vector registers with a pattern; tells how many differ from it. */
static void vectors_set(uint64_t seed)
{
	uint64_t v[4] __attribute__((aligned(32))) = { seed, ~seed, seed * 3, seed ^ 0x5555 };
	asm volatile("movaps %0, %%xmm0; movaps %0, %%xmm7; movaps %0, %%xmm15" ::"m"(v));
	if (has_avx())
		asm volatile("vmovaps %0, %%ymm3; vmovaps %0, %%ymm12" ::"m"(v));
}

static int vectors_differ(uint64_t seed)
{
	uint64_t want[4] = { seed, ~seed, seed * 3, seed ^ 0x5555 };
	uint64_t v[5][4] __attribute__((aligned(32)));
	int different = 0;
	bool avx = has_avx();

	/* All are read before anything is called. */
	asm volatile("movaps %%xmm0, %0; movaps %%xmm7, %1; movaps %%xmm15, %2"
		     : "=m"(v[0]), "=m"(v[1]), "=m"(v[2]));
	if (avx)
		asm volatile("vmovaps %%ymm3, %0; vmovaps %%ymm12, %1" : "=m"(v[3]), "=m"(v[4]));
	for (unsigned i = 0; i < (avx ? 5 : 3); i++)
		different += memcmp(v[i], want, i < 3 ? 16 : 32) != 0;
	return different;
}

TEST(vector_registers_survive_other_processes)
{
	pid_t pids[3];
	for (unsigned i = 0; i < 3; i++) {
		fflush(stdout);
		pids[i] = fork();
		if (pids[i] == 0) {
			long long end = now_ms() + 300;
			int bad = 0;
			while (now_ms() < end) {
				vectors_set(i + 1);
				for (volatile int n = 0; n < 20000; n++)
					;
				syscall(SYS_sched_yield);
				bad += vectors_differ(i + 1);
			}
			_exit(bad != 0);
		}
	}
	for (unsigned i = 0; i < 3; i++)
		EXPECT_EQ(wait_status(pids[i]), 0);
}

TEST(vector_registers_are_inherited_by_fork)
{
	int status = 0;
	vectors_set(77);
	pid_t pid = syscall(SYS_fork);
	if (pid == 0)
		syscall(SYS_exit_group, vectors_differ(77));
	int different = vectors_differ(77);
	waitpid(pid, &status, 0);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(different, 0);
}

static volatile int frame_errors;
static void clobbering_handler(int signo, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	(void)signo;
	(void)info;
	const uint8_t *fp = (const uint8_t *)uc->uc_mcontext.fpregs;
	const uint32_t *sw = (const uint32_t *)(fp + 464);
	if ((uintptr_t)fp % 64 || ((uintptr_t)__builtin_frame_address(0) & 15))
		frame_errors++;
	if (uc->uc_flags & 1) { /* UC_FP_XSTATE */
		frame_errors += sw[0] != 0x46505853;
		frame_errors += *(const uint32_t *)(fp + sw[4]) != 0x46505845;
		frame_errors += sw[1] != sw[4] + 4;
	}
	/* xmm7 of the interrupted code is in the frame. */
	frame_errors += *(const uint64_t *)(fp + 160 + 7 * 16) != 99;
	/* The handler begins with a fresh FPU. */
	uint16_t control;
	asm volatile("fnstcw %0" : "=m"(control));
	frame_errors += control != 0x37f;
	vectors_set(1000);
}

TEST(signals_keep_vector_registers)
{
	catch(SIGUSR1, clobbering_handler);
	pid_t self = getpid();
	long result;
	vectors_set(99);
	asm volatile("syscall"
		     : "=a"(result)
		     : "a"(SYS_kill), "D"(self), "S"(SIGUSR1)
		     : "rcx", "r11", "memory");
	int different = vectors_differ(99);
	EXPECT_EQ(result, 0);
	EXPECT_EQ(different, 0);
	EXPECT_EQ(frame_errors, 0);
}

static void changing_handler(int signo, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	(void)signo;
	(void)info;
	uc->uc_mcontext.gregs[REG_R15] = 0x4242;
	uc->uc_mcontext.gregs[REG_RIP] += 2; /* over the ud2 */
	*(uint64_t *)((uint8_t *)uc->uc_mcontext.fpregs + 160) = 0x777;
	/* Bits that a program must not get. */
	uc->uc_mcontext.gregs[REG_EFL] |= 0x3000;
}

TEST(sigreturn_takes_registers_from_the_frame)
{
	uint64_t r15, flags;
	double x;
	catch(SIGILL, changing_handler);
	asm volatile("xorps %%xmm0, %%xmm0; ud2; pushfq; popq %1; movq %%r15, %0; movsd %%xmm0, %2"
		     : "=r"(r15), "=r"(flags), "=m"(x)
		     :
		     : "r15", "xmm0", "memory");
	EXPECT_EQ(r15, 0x4242);
	EXPECT_EQ(*(uint64_t *)&x, 0x777);
	EXPECT_EQ(flags & 0x3000, 0);
	EXPECT_EQ(flags & 0x200, 0x200);
}

static void spoiling_handler(int signo, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	(void)signo;
	(void)info;
	uint8_t *fp = (uint8_t *)uc->uc_mcontext.fpregs;
	*(uint32_t *)(fp + 24) = 0xffffffff; /* MXCSR with reserved bits */
	if (uc->uc_flags & 1)
		memset(fp + 512, 0xff, 64); /* XSAVE header */
}

TEST(a_spoilt_fpu_state_kills_at_most_its_owner)
{
	IN_CHILD(pid)
	{
		catch(SIGUSR1, spoiling_handler);
		raise(SIGUSR1);
		_exit(0);
	}
	int status = wait_status(pid);
	EXPECT(status == 0 || status == 128 + SIGSEGV);
}

TEST(cpuinfo_names_this_cpu)
{
	static char text[16384];
	EXPECT(read_file("/proc/cpuinfo", text, sizeof(text)) > 0);
	EXPECT(strncmp(text, "processor\t: 0\n", 14) == 0);
	EXPECT(strstr(text, "\nvendor_id\t: ") != NULL);
	EXPECT(strstr(text, "\nflags\t\t: fpu ") != NULL);
	EXPECT(strstr(text, " sse2 ") != NULL);
}
#endif
