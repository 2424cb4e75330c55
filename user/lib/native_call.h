/* SPDX-License-Identifier: MIT */
/* A system call by its registers, of which the kernel gives some back: the calls on channels. For programs without a C library too. */
#pragma once

/* Registers 0 to 5; 1 to 5 come back changed. The result, or -errno. */
static inline __attribute__((always_inline)) long native_call(long number, unsigned long r[6])
{
#if defined(__x86_64__)
	register unsigned long result __asm__("rax") = (unsigned long)number;
	register unsigned long r0 __asm__("rdi") = r[0];
	register unsigned long r1 __asm__("rsi") = r[1];
	register unsigned long r2 __asm__("rdx") = r[2];
	register unsigned long r3 __asm__("r10") = r[3];
	register unsigned long r4 __asm__("r8") = r[4];
	register unsigned long r5 __asm__("r9") = r[5];

	__asm__ volatile("syscall"
			 : "+r"(result), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r4), "+r"(r5)
			 : "r"(r0)
			 : "rcx", "r11", "memory");
#elif defined(__aarch64__)
	register unsigned long n __asm__("x8") = (unsigned long)number;
	register unsigned long result __asm__("x0") = r[0];
	register unsigned long r1 __asm__("x1") = r[1];
	register unsigned long r2 __asm__("x2") = r[2];
	register unsigned long r3 __asm__("x3") = r[3];
	register unsigned long r4 __asm__("x4") = r[4];
	register unsigned long r5 __asm__("x5") = r[5];

	__asm__ volatile("svc 0"
			 : "+r"(result), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r4), "+r"(r5)
			 : "r"(n)
			 : "memory");
#else
#error "no such machine"
#endif
	r[1] = r1, r[2] = r2, r[3] = r3, r[4] = r4, r[5] = r5;
	return (long)result;
}
