/* SPDX-License-Identifier: MIT */
/* Wrappers of the calls on channels; those with words in registers are spelled out for each machine. */
#include <cairn/channel.h>
#include <cairn/number.h>
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Handle and flags share a register. The kernel changes those of the words, and the last. */
static long exchange(long number, int handle, unsigned flags, struct cairn_message *message,
		     struct cairn_payload *payload)
{
#if defined(__x86_64__)
	register unsigned long result __asm__("rax") = (unsigned long)number;
	register unsigned long r0 __asm__("rdi") = (unsigned)handle | (unsigned long)flags << 32;
	register unsigned long r1 __asm__("rsi") = message->words[0];
	register unsigned long r2 __asm__("rdx") = message->words[1];
	register unsigned long r3 __asm__("r10") = message->words[2];
	register unsigned long r4 __asm__("r8") = message->words[3];
	register unsigned long r5 __asm__("r9") = (unsigned long)payload;

	__asm__ volatile("syscall"
			 : "+r"(result), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r4), "+r"(r5)
			 : "r"(r0)
			 : "rcx", "r11", "memory");
#elif defined(__aarch64__)
	register unsigned long n __asm__("x8") = (unsigned long)number;
	register unsigned long result __asm__("x0") = (unsigned)handle | (unsigned long)flags << 32;
	register unsigned long r1 __asm__("x1") = message->words[0];
	register unsigned long r2 __asm__("x2") = message->words[1];
	register unsigned long r3 __asm__("x3") = message->words[2];
	register unsigned long r4 __asm__("x4") = message->words[3];
	register unsigned long r5 __asm__("x5") = (unsigned long)payload;

	__asm__ volatile("svc 0"
			 : "+r"(result), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r4), "+r"(r5)
			 : "r"(n)
			 : "memory");
#else
#error "no such machine"
#endif
	if (result > -4096ul) {
		errno = (int)-result;
		return -1;
	}
	message->words[0] = r1;
	message->words[1] = r2;
	message->words[2] = r3;
	message->words[3] = r4;
	message->badge = r5;
	return (long)result;
}

int cairn_channel_create(int handles[2], unsigned queue, unsigned flags)
{
	return (int)syscall(CAIRN_NR_channel_create, handles, queue, flags);
}

int cairn_channel_send(int sender, unsigned flags, const struct cairn_message *message,
		       struct cairn_payload *payload)
{
	struct cairn_message copy = *message;

	return (int)exchange(CAIRN_NR_channel_send, sender, flags, &copy, payload);
}

int cairn_channel_call(int sender, unsigned flags, struct cairn_message *message,
		       struct cairn_payload *payload)
{
	return (int)exchange(CAIRN_NR_channel_call, sender, flags, message, payload);
}

int cairn_channel_receive(int receiver, unsigned flags, struct cairn_message *message,
			  struct cairn_payload *payload)
{
	return (int)exchange(CAIRN_NR_channel_receive, receiver, flags, message, payload);
}

int cairn_channel_reply(int reply, const struct cairn_message *message,
			struct cairn_payload *payload)
{
	struct cairn_message copy = *message;

	return (int)exchange(CAIRN_NR_channel_reply, reply, 0, &copy, payload);
}

int cairn_channel_reply_receive(int receiver, unsigned flags, struct cairn_message *message,
				struct cairn_payload *payload)
{
	return (int)exchange(CAIRN_NR_channel_reply_receive, receiver, flags, message, payload);
}

int cairn_channel_label(int receiver, unsigned label)
{
	return (int)syscall(CAIRN_NR_channel_label, receiver, label);
}

int cairn_channel_reply_save(unsigned flags)
{
	return (int)syscall(CAIRN_NR_channel_reply_save, flags);
}
