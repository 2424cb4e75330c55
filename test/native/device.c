/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drivers in a process: QEMU's fw_cfg by DMA (docs/specs/fw_cfg of QEMU), and the real-time clock by interrupts: the CMOS clock of PCs
 * (MC146818), the PL031 of the virt machine.
 */
#include "silo_test.h"

#include <cairn/device.h>
#include <cairn/untyped.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul

/* Of the machines that tests run on: an address of RAM, and the line of the console. */
#if defined(__x86_64__)
#define RAM 0x1000000ul
#define REGISTERS 0xfed00000ul /* the HPET */
#define CONSOLE_LINE 4
#else
#define RAM 0x41000000ul
#define REGISTERS 0x09010000ul /* the PL031 */
#define CONSOLE_LINE 33
#endif

static int root = -1;

static int create(unsigned type, unsigned flags, unsigned long first, unsigned long size)
{
	struct cairn_device device = { type, flags, first, size };

	if (root < 0)
		root = cairn_device_root(CAIRN_HANDLE_KEEP_ON_FORK);
	REQUIRE(root >= 0);
	return cairn_device_create(root, &device, CAIRN_HANDLE_KEEP_ON_FORK);
}

/* --- fw_cfg --- */

#define DMA_READ 2u
#define DMA_SELECT 8u

struct fw_cfg_access {
	uint32_t control, length; /* big endian */
	uint64_t address;
};

/* Gives the device the address of its order: the act that begins the transfer. */
static void fw_cfg_kick(uint64_t address)
{
#if defined(__x86_64__)
	uint32_t high = __builtin_bswap32((uint32_t)(address >> 32)),
		 low = __builtin_bswap32((uint32_t)address);
	int ports = create(CAIRN_DEVICE_PORTS, 0, 0x514, 8);

	REQUIRE(ports >= 0);
	EXPECT_EQ(pwrite(ports, &high, 4, 0), 4);
	EXPECT_EQ(pwrite(ports, &low, 4, 4), 4);
	EXPECT_ERRNO(pwrite(ports, &low, 4, 8), EINVAL);
	EXPECT_ERRNO(pwrite(ports, &low, 3, 0), EINVAL);
	EXPECT_EQ(close(ports), 0);
#else
	int registers = create(CAIRN_DEVICE_REGISTERS, 0, 0x09020000, PAGE);
	volatile uint64_t *at;

	REQUIRE(registers >= 0);
	at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, registers, 0);
	REQUIRE(at != MAP_FAILED);
	at[2] = __builtin_bswap64(address);
	EXPECT_EQ(munmap((void *)(uintptr_t)at, PAGE), 0);
	EXPECT_EQ(close(registers), 0);
#endif
}

TEST(a_device_writes_to_dma_memory)
{
	int memory = create(CAIRN_DEVICE_DMA, 0, 0, 2 * PAGE);
	struct cairn_device info = {};
	volatile struct fw_cfg_access *order;
	volatile char *text;

	REQUIRE(memory >= 0);
	EXPECT_EQ(cairn_device_inspect(memory, &info, sizeof(info)), 0);
	EXPECT_EQ(info.type, CAIRN_DEVICE_DMA);
	EXPECT_EQ(info.size, 2 * PAGE);
	EXPECT(info.first && info.first % PAGE == 0);
	order = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	REQUIRE(order != MAP_FAILED);
	text = (volatile char *)order + PAGE;
	EXPECT_EQ(text[0], 0);
	order->control = __builtin_bswap32(0u << 16 | DMA_SELECT | DMA_READ); /* item 0: "QEMU" */
	order->length = __builtin_bswap32(4);
	order->address = __builtin_bswap64(info.first + PAGE);
	__sync_synchronize();
	fw_cfg_kick(info.first);
	for (int i = 0; i < 1000 && order->control; i++)
		usleep(1000);
	EXPECT_EQ(order->control, 0u);
	EXPECT(text[0] == 'Q' && text[1] == 'E' && text[2] == 'M' && text[3] == 'U');
	/* The mapping keeps the frames, and nothing else can be seen through it. */
	EXPECT_EQ(close(memory), 0);
	EXPECT_EQ(text[3], 'U');
	EXPECT(mremap((void *)(uintptr_t)order, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
	EXPECT_EQ(munmap((void *)(uintptr_t)order, 2 * PAGE), 0);
}

/* --- the real-time clock --- */

static void wait_for(int interrupt)
{
	struct pollfd poll_fd = { .fd = interrupt, .events = POLLIN };
	uint64_t count = 0;

	EXPECT_EQ(poll(&poll_fd, 1, 20000), 1);
	EXPECT_EQ(read(interrupt, &count, sizeof(count)), (long)sizeof(count));
	EXPECT(count >= 1);
}

static void acknowledge(int interrupt)
{
	uint64_t one = 1;

	EXPECT_EQ(write(interrupt, &one, sizeof(one)), (long)sizeof(one));
}

#if defined(__x86_64__)
static int cmos;

static uint8_t cmos_read(uint8_t number)
{
	uint8_t value = 0;

	EXPECT_EQ(pwrite(cmos, &number, 1, 0), 1);
	EXPECT_EQ(pread(cmos, &value, 1, 1), 1);
	return value;
}

static void cmos_write(uint8_t number, uint8_t value)
{
	EXPECT_EQ(pwrite(cmos, &number, 1, 0), 1);
	EXPECT_EQ(pwrite(cmos, &value, 1, 1), 1);
}

/* Register B, bit 6: periodic interrupts, at the rate of register A; reading C silences it. */
static void clock_driver(void)
{
	int interrupt = create(CAIRN_DEVICE_INTERRUPT, 0, 8, 1);

	cmos = create(CAIRN_DEVICE_PORTS, 0, 0x70, 2);
	REQUIRE(interrupt >= 0 && cmos >= 0);
	EXPECT((cmos_read(0) & 0x0f) <= 9); /* seconds, in BCD */
	cmos_write(0x0a, 0x2f);		    /* 2 Hz */
	cmos_write(0x0b, cmos_read(0x0b) | 0x40);
	for (int i = 0; i < 2; i++) {
		(void)cmos_read(0x0c);
		wait_for(interrupt);
		EXPECT(cmos_read(0x0c) & 0x40);
		acknowledge(interrupt);
	}
	cmos_write(0x0b, cmos_read(0x0b) & (uint8_t)~0x40);
	EXPECT_EQ(close(cmos), 0);
	EXPECT_EQ(close(interrupt), 0);
}
#else
enum {
	PL031_NOW,
	PL031_MATCH,
	PL031_LOAD,
	PL031_CONTROL,
	PL031_MASK,
	PL031_RAW,
	PL031_SHOWN,
	PL031_CLEAR
};

/* Its interrupt is level triggered: it comes again unless the device is silenced before the acknowledgement. */
static void clock_driver(void)
{
	int interrupt = create(CAIRN_DEVICE_INTERRUPT, CAIRN_DEVICE_LEVEL, 34, 1);
	int registers = create(CAIRN_DEVICE_REGISTERS, 0, 0x09010000, PAGE);
	volatile uint32_t *at;

	REQUIRE(interrupt >= 0 && registers >= 0);
	at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, registers, 0);
	REQUIRE(at != MAP_FAILED);
	EXPECT(at[PL031_NOW] > 1000000000);
	at[PL031_MASK] = 1;
	for (int i = 0; i < 2; i++) {
		at[PL031_MATCH] = at[PL031_NOW] + 1;
		wait_for(interrupt);
		EXPECT_EQ(at[PL031_RAW], 1u);
		at[PL031_CLEAR] = 1;
		acknowledge(interrupt);
	}
	at[PL031_MASK] = 0;
	EXPECT_EQ(munmap((void *)(uintptr_t)at, PAGE), 0);
	EXPECT_EQ(close(registers), 0);
	EXPECT_EQ(close(interrupt), 0);
}
#endif

TEST(a_clock_driver_in_a_process)
{
	pid_t pid;
	int status;

	/* In a process of its own, twice: what it held is free again when it ends. */
	for (int i = 0; i < 2; i++) {
		pid = fork();
		if (pid == 0) {
			clock_driver();
			_exit(test_has_failed());
		}
		EXPECT_EQ(waitpid(pid, &status, 0), pid);
		EXPECT_EQ(status, 0);
	}
}

/* --- who may --- */

TEST(one_owner)
{
	int mine = create(CAIRN_DEVICE_REGISTERS, 0, 0xfec10000, 2 * PAGE);

	REQUIRE(mine >= 0);
	EXPECT_ERRNO(create(CAIRN_DEVICE_REGISTERS, 0, 0xfec11000, PAGE), EBUSY);
	EXPECT_EQ(close(mine), 0);
	mine = create(CAIRN_DEVICE_REGISTERS, 0, 0xfec11000, PAGE);
	EXPECT(mine >= 0);
	EXPECT_EQ(close(mine), 0);
	/* The serial port has the kernel's driver. */
	EXPECT_ERRNO(create(CAIRN_DEVICE_INTERRUPT, 0, CONSOLE_LINE, 1), EBUSY);
}

/* What reaches into memory by page tables finds nothing behind them. */
TEST(registers_are_no_memory)
{
	int registers = create(CAIRN_DEVICE_REGISTERS, 0, REGISTERS, PAGE);
	char byte, *at;
	struct iovec here = { &byte, 1 }, there;

	REQUIRE(registers >= 0);
	at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, registers, 0);
	REQUIRE(at != MAP_FAILED);
	there = (struct iovec){ at, 1 };
	EXPECT_ERRNO(process_vm_readv(getpid(), &here, 1, &there, 1, 0), EFAULT);
	EXPECT_EQ(syscall(SYS_futex, at, FUTEX_WAKE, 1, NULL, NULL, 0) <= 0, 1);
	IN_CHILD(pid)
	{
		EXPECT_EQ(munmap(at, PAGE), 0);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(munmap(at, PAGE), 0);
	EXPECT_EQ(close(registers), 0);
}

TEST(ranges_that_are_none)
{
	EXPECT_ERRNO(create(CAIRN_DEVICE_REGISTERS, 0, 1, PAGE), EINVAL);
	EXPECT_ERRNO(create(CAIRN_DEVICE_REGISTERS, 0, PAGE, 0), EINVAL);
	EXPECT_ERRNO(create(CAIRN_DEVICE_REGISTERS, 0, -PAGE, PAGE), EINVAL);
	EXPECT_ERRNO(create(CAIRN_DEVICE_REGISTERS, 0, RAM, PAGE), EINVAL);
	EXPECT_ERRNO(create(CAIRN_DEVICE_PORTS, 0, 0xffff, 2), ENODEV);
	EXPECT_ERRNO(create(CAIRN_DEVICE_PORTS, 0, -1ul, 2), ENODEV);
	EXPECT_ERRNO(create(CAIRN_DEVICE_INTERRUPT, 0, 5000, 1), ENODEV);
	EXPECT_ERRNO(create(CAIRN_DEVICE_INTERRUPT, 2, 8, 1), EINVAL);
	EXPECT_ERRNO(create(CAIRN_DEVICE_DMA, 0, 0, 8ul << 20), EINVAL);
	EXPECT_ERRNO(create(CAIRN_DEVICE_DMA, 0, PAGE, PAGE), EINVAL);
	EXPECT_ERRNO(create(4, 0, 0, PAGE), EINVAL);
	EXPECT_ERRNO(cairn_device_root(~3u), EINVAL);
	EXPECT_ERRNO(cairn_device_inspect(root, &(struct cairn_device){}, 24), EINVAL);
}

TEST(only_with_the_root)
{
	struct cairn_device device = { CAIRN_DEVICE_DMA, 0, 0, PAGE };
	int narrow, status;
	pid_t pid;

	EXPECT_ERRNO(cairn_device_create(1, &device, 0), EINVAL);
	root = cairn_device_root(CAIRN_HANDLE_KEEP_ON_FORK);
	REQUIRE(root >= 0);
	narrow = cairn_handle_duplicate(root, CAIRN_RIGHT_INSPECT, 0);
	EXPECT_ERRNO(cairn_device_create(narrow, &device, 0), EACCES);
	pid = fork();
	if (pid == 0) {
		REQUIRE(setuid(65534) == 0);
		EXPECT_ERRNO(cairn_device_root(0), EPERM);
		_exit(test_has_failed());
	}
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	make_silo();
	pid = fork();
	if (pid == 0) {
		ENTER(standard, 3);
		EXPECT_ERRNO(cairn_device_root(0), EPERM);
		EXPECT_ERRNO(cairn_device_create(root, &device, 0), EBADF);
		_exit(test_has_failed());
	}
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	EXPECT(was_denied(CAIRN_SILO_DENIED_CAPABILITY, 17)); /* CAP_SYS_RAWIO */
}

TEST(revoking_takes_a_device_away)
{
	int registers = create(CAIRN_DEVICE_DMA, 0, 0, PAGE), derived;
	unsigned char resident;
	char *at;

	REQUIRE(registers >= 0);
	derived = cairn_handle_derive(registers, CAIRN_RIGHTS_SAME, 0, 0);
	REQUIRE(derived >= 0);
	EXPECT(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, derived, 0) == MAP_FAILED);
	EXPECT(mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, derived, 0) == MAP_FAILED);
	EXPECT(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, derived, PAGE) == MAP_FAILED);
	EXPECT(mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, derived, 0) == MAP_FAILED);
	at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, derived, 0);
	REQUIRE(at != MAP_FAILED);
	at[0] = 1;
	EXPECT_EQ(cairn_handle_revoke(registers), 1);
	EXPECT_ERRNO(mincore(at, PAGE, &resident), ENOMEM); /* it is unmapped */
	EXPECT_EQ(close(registers), 0);
}
