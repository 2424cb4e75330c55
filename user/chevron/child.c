/* SPDX-License-Identifier: MIT */
/* The program that chevron can load into a task made by hand (child.h). It is one function, without strings, tables or libraries. */
#include "child.h"

#include <cairn/channel.h>
#include <cairn/number.h>
#include <sys/syscall.h>

#define RECEIVER 0
#define OUTPUT 1

#define INSIDE static inline __attribute__((always_inline))

/* Registers 0 to 5 of a system call; 1 to 5 come back changed. */
INSIDE long call(long number, unsigned long r[6])
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

/* Eight letters at most, as a number of which the lowest byte is the first. */
INSIDE char *put_letters(char *to, unsigned long letters)
{
	for (; letters; letters >>= 8)
		*to++ = (char)letters;
	return to;
}

INSIDE char *put_number(char *to, unsigned long n)
{
	unsigned long unit = 1;

	while (n / unit >= 10)
		unit *= 10;
	for (; unit; unit /= 10)
		*to++ = (char)('0' + n / unit % 10);
	return to;
}

#define CHILD_ 0x3a646c696863ul	   /* "child:" */
#define HANDLE_ 0x20656c646e6168ul /* "handle " */

/* r: words and badge as they came. The line that tells of it. */
INSIDE char *describe(char *to, const unsigned long r[6], const struct cairn_payload *p, int handle)
{
	to = put_letters(to, CHILD_);
	for (int i = 1; i <= 4; i++) {
		*to++ = ' ';
		to = put_number(to, r[i]);
	}
	if (p->receive_size) {
		const char *from = (const char *)p->receive;

		*to++ = ' ';
		for (unsigned i = 0; i < p->receive_size; i++)
			*to++ = from[i];
	}
	if (p->receive_handle_count) {
		*to++ = ' ';
		to = put_letters(to, HANDLE_);
		to = put_number(to, (unsigned long)handle);
	}
	*to++ = '\n';
	return to;
}

__attribute__((section("child_code"), used, noinline,
	       optimize("no-tree-loop-distribute-patterns", "no-tree-vectorize"))) static void
child(void)
{
	char text[400], bytes[200];
	unsigned long message[6], print[6];
	struct cairn_payload payload;
	int handle;

	message[1] = message[2] = message[3] = message[4] = 0;
	for (;;) {
		payload.send = payload.send_handles = 0;
		payload.send_size = payload.send_handle_count = 0;
		payload.receive = (unsigned long)bytes;
		payload.receive_handles = (unsigned long)&handle;
		payload.receive_size = sizeof(bytes);
		payload.receive_handle_count = 1;
		payload.handle_flags = payload.reserved = 0;
		message[0] = RECEIVER;
		message[5] = (unsigned long)&payload;
		if (call(CAIRN_NR_channel_reply_receive, message) < 0)
			break; /* nobody can send any more */
		print[0] = OUTPUT;
		print[3] = print[4] = print[5] = 0;
		print[1] = (unsigned long)text;
		print[2] = (unsigned long)(describe(text, message, &payload, handle) - text);
		call(SYS_write, print);
	}
	message[0] = 0;
	call(SYS_exit_group, message);
}
