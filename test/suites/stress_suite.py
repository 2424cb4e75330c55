# SPDX-License-Identifier: GPL-2.0-or-later
"""stress-ng --verify: one second of every stressor of the classes cpu, scheduler, memory, vm, pipe, interrupt (signals) and os."""
from command_suite import CommandSuite

STRESSORS = """
access affinity af-alg aio aiol alarm apparmor atomic bad-altstack bad-ioctl bigheap bind-mount binderfs branch brk bsearch
cap chattr chdir chmod chown chroot clock clone close context copy-file cpu cpu-online crypt cyclic daemon dccp dentry dev
dev-shm dir dirdeep dirmany dnotify dup dynlib efivar enosys env epoll eventfd exec exit-group fallocate fanotify fault fcntl
fiemap fifo file-ioctl filename flock fork forkheavy fp fp-error fpunch fsize fstat full funccall funcret futex get getdent
getrandom goto handle hash hdd heapsort hrtimers hsearch icmp-flood idle-page inode-flags inotify io io-uring iomix ioport
ioprio itimer jpeg judy kcmp key kill klog kvm landlock lease link list loadavg locka lockbus lockf lockofd longjmp loop
lsearch madvise malloc matrix matrix-3d mcontend membarrier memcpy memfd memhotplug memrate memthrash mergesort mincore
misaligned mknod mlock mlockmany mmap mmapaddr mmapfixed mmapfork mmaphuge mmapmany mprotect mq mremap msg msync msyncmany
munmap mutex nanosleep netlink-proc netlink-task nice nop null numa oom-pipe opcode open pagemove pageswap pci personality
physpage pidfd ping-sock pipe pipeherd pkey plugin poll prctl prefetch priv-instr procfs pthread ptrace pty qsort quota
race-sched radixsort ramfs randlist rawpkt rawsock rawudp rdrand readahead reboot regs remap rename resched resources revio
ring-pipe rlimit rmap rotate rseq rtc schedpolicy seal seccomp secretmem seek sem sem-sysv sendfile session set shellsort shm
shm-sysv sigabrt sigchld sigfd sigfpe sigio signal signest sigpending sigpipe sigq sigrt sigsegv sigsuspend sigtrap skiplist
sleep smi sock sockabuse sockdiag sockfd sockpair sockmany softlockup sparsematrix spawn splice stack stackmmap str stream
swap switch symlink sync-file syncload sysbadaddr syscall sysfs sysinfo sysinval tee timer timerfd tlb-shootdown tmpfs touch
tree tsc tsearch tun udp udp-flood umount unshare uprobe urandom userfaultfd usersyscall utime vdso vecfp vecmath vecshuf
vecwide verity vfork vforkmany vm vm-addr vm-rw vm-segv vm-splice wait waitcpu watchdog wcs x86cpuid x86syscall xattr yield
zero zlib zombie
""".split()
# Ends the machine, or its clock.
NOT_RUN = {"watchdog"}
PART_SIZE = 40
SECONDS = 20

COMMANDS = [(f"s{number // PART_SIZE + 1}", SECONDS,
             f"stress-ng --verify --no-rand-seed --temp-path /tmp --timeout 1 --{name} 1")
            for number, name in enumerate(name for name in STRESSORS if name not in NOT_RUN)]
SUITE = CommandSuite("stress", "1G", COMMANDS, skips=(3, 4),
                     packages="bash coreutils procps util-linux mount grep sed stress-ng rt-tests linux-perf trinity")
