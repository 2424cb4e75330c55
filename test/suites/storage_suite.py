# SPDX-License-Identifier: GPL-2.0-or-later
"""ext4 on a virtio disk under other people's loads: fio with verification, the file system and I/O classes of stress-ng, git and
tar of a large tree; each part makes its file system and ends with e2fsck."""
import os

from command_suite import CommandSuite
from harness.machine import DISK_MODULES, linux_module

BEGIN = """#!/bin/bash
# A new file system on the disk, mounted at /disk. Debian's kernel has the driver as modules.
for module in %s; do insmod /modules/$module.ko 2>/dev/null; done
i=0
while ! test -b /dev/vda && test $i -lt 100; do sleep 0.1; i=$((i + 1)); done
mkdir -p /disk /root && mke2fs -q -F -t ext4 "$@" /dev/vda && mount -t ext4 /dev/vda /disk
""" % " ".join(DISK_MODULES)
END = """#!/bin/bash
umount /disk && e2fsck -fn /dev/vda
"""
# A repository of 2,000 files in 20 commits, cloned in two ways and compared; the same tree through tar.
GIT = """#!/bin/bash
set -e
export HOME=/root GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
cd /disk && git init -q source 2>/dev/null && cd source
for commit in {1..20}; do
    mkdir d$commit
    for n in {1..100}; do printf "line %s of $commit $n\\n" {1..120} > d$commit/file$n; done
    git add . && git commit -q -m "commit $commit" && echo commit $commit
done
cd ..
git clone -q --no-local source clone && git clone -q source linked && echo cloned
for tree in source clone linked; do git -C $tree fsck --full --no-progress && test -z "$(git -C $tree status --porcelain)"; done
git -C clone gc -q && git -C clone fsck --full --no-progress && echo collected
diff -r -x .git source clone && echo same
tar cf tree.tar source && mkdir out && tar xf tree.tar -C out && diff -r source out/source && echo unpacked
rm -rf source clone linked out
"""
FIO = ("fio --name={name} --directory=/disk --verify=crc32c --verify_fatal=1 --randrepeat=1 --fallocate=none --output-format=terse "
       "--output=/tmp/{name} {words}")
JOBS = {
    "sequential": "--rw=write --bs=128k --size=64m --ioengine=psync",
    "random": "--rw=randwrite --bs=4k --size=32m --ioengine=psync",
    "random_odd_sizes": "--rw=randwrite --bsrange=512-40k --bs_unaligned --size=16m --ioengine=psync",
    "mixed": "--rw=randrw --bs=8k --size=32m --ioengine=psync --do_verify=1",
    "synced": "--rw=randwrite --bs=4k --size=4m --ioengine=psync --fsync=8",
    "mapped": "--rw=randwrite --bs=4k --size=32m --ioengine=mmap",
    "direct": "--rw=randwrite --bs=4k --size=16m --ioengine=psync --direct=1",
    "direct_large": "--rw=write --bs=256k --size=64m --ioengine=psync --direct=1",
    "asynchronous": "--rw=randwrite --bs=4k --size=16m --ioengine=libaio --iodepth=16 --direct=1",
    "four_writers": "--rw=randwrite --bs=4k --size=8m --ioengine=psync --numjobs=4",
    "verified_after_dropping": "--rw=randwrite --bs=4k --size=16m --ioengine=psync --end_fsync=1 --invalidate=1",
}
FILE_SYSTEM = """
access bind-mount binderfs chattr chdir chmod chown copy-file dentry dir dirdeep dirmany dnotify dup eventfd fallocate fanotify
fcntl fiemap file-ioctl filename flock fpunch fsize fstat getdent handle hdd inode-flags inotify io iomix ioprio lease link
locka lockf lockofd mknod open procfs rename symlink sync-file touch utime verity xattr
""".split()
IO = "aio aiol hdd io-uring rawdev readahead revio seek sync-file".split()


def part(name, seconds, commands, options=""):
    return [(name, 60, f"disk-begin {options}".strip()), *((name, seconds, words) for words in commands), (name, 120, "disk-end")]


def stressors(names):
    return [f"stress-ng --verify --no-rand-seed --temp-path /disk --timeout 1 --{name} 2" for name in names]


def files(arch, out):
    """Scripts, and the modules of Debian's kernel."""
    found = {}
    for name, text in (("disk-begin", BEGIN), ("disk-end", END), ("git-tree", GIT)):
        found[f"suite/{name}"] = os.path.join(out, name)
        with open(found[f"suite/{name}"], "w", encoding="utf-8") as script:
            script.write(text)
        os.chmod(found[f"suite/{name}"], 0o755)
    return found | {f"modules/{name}.ko": linux_module(arch, name) for name in DISK_MODULES}


COMMANDS = [
    *part("fio", 100, [FIO.format(name=name, words=words) for name, words in JOBS.items()]),
    *part("filesystem", 30, stressors(FILE_SYSTEM)),
    *part("filesystem1k", 30, stressors(FILE_SYSTEM), "-b 1024 -O inline_data"),
    *part("io", 30, stressors(IO)),
    *part("git", 400, ["git-tree"]),
]
SUITE = CommandSuite("storage", "1G", COMMANDS, skips=(3, 4), files=files, disk="600M",
                     packages="bash coreutils util-linux mount grep sed kmod e2fsprogs fio stress-ng git tar diffutils")
