/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every call about names with every kind of path. Each row below is what Linux 6.1 answers, one letter for each path of
 * `paths`; the letters are in errno_letter(). A row that differs is printed, so a new call begins with an empty row here and a
 * run on Linux.
 */
#include "guest_test.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include <linux/fs.h>

static const char *const paths[] = {
	"",	 ".",	   "..",    "/",	"./",	  "//",	      "f",	   "f/",   "f/.",
	"f/x",	 "d",	   "d/",    "d/.",	"d/..",	  "d/../",    "d/f",	   "d/f/", "n",
	"n/",	 "n/x",	   "n/.",   "d/n",	"d/n/",	  "sf",	      "sf/",	   "sf/.", "sd",
	"sd/",	 "sd/.",   "sd/f",  "sd/n",	"sd/..",  "sn",	      "sn/",	   "sn/x", "loop",
	"loop/", "loop/x", "fifo",  "fifo/",	"e",	  "e/",	      "e/.",	   "abs",  "abs/f",
	"abs/",	 "full",   "full/", "sock",	"noperm", "noperm/x", "noperm/..", "m",	   "m/",
	"m/.",	 "m/..",   "m/x",   ".//d///f", "d/./f",  "sd/../f",  "ssd",	   "ssd/", "ssd/x",
};
#define PATHS (sizeof(paths) / sizeof(paths[0]))

static void touch(const char *path)
{
	close(open(path, O_CREAT | O_WRONLY, 0644));
}

/* A tree with everything that a path may meet, in a tmpfs of its own, with another mount in it. */
static void set_up(void)
{
	mkdir("w", 0755);
	if (mount("t", "w", "tmpfs", 0, "mode=777") || chdir("w"))
		exit(1);
	make_file("f", "hello");
	mkdir("d", 01777);
	chmod("d", 01777);
	touch("d/f");
	mkdir("e", 0755);
	mkdir("full", 0755);
	touch("full/x");
	mkdir("noperm", 0600);
	touch("noperm/x");
	symlink("f", "sf");
	symlink("d", "sd");
	symlink("sd", "ssd");
	symlink("nowhere", "sn");
	symlink("loop", "loop");
	symlink("../w/d", "abs");
	mkfifo("fifo", 0644);
	mknod("sock", S_IFSOCK | 0644, 0);
	mkdir("m", 0755);
	if (mount("t", "m", "tmpfs", 0, ""))
		exit(1);
	touch("m/x");
}

static void tear_down(void)
{
	if (chdir("..") || umount("w/m") || umount("w"))
		umount2("w", MNT_DETACH);
}

static char errno_letter(long result)
{
	if (result >= 0)
		return '.';
	switch (errno) {
	case ENOENT:
		return 'n';
	case ENOTDIR:
		return 'd';
	case EISDIR:
		return 'i';
	case ELOOP:
		return 'l';
	case EEXIST:
		return 'e';
	case EBUSY:
		return 'b';
	case EACCES:
		return 'a';
	case EPERM:
		return 'p';
	case EINVAL:
		return 'v';
	case ENOTEMPTY:
		return 't';
	case EXDEV:
		return 'x';
	case ENXIO:
		return 'o';
	case EOPNOTSUPP:
		return 's';
	case ENODATA:
		return 'D';
	case ENOTBLK:
		return 'B';
	default:
		return '?';
	}
}

struct row {
	const char *name;
	long (*call)(const char *path);
	const char *answers;
};

static int home; /* the working directory, open */

#define CALL(name_, expression)                                                                    \
	static long call_##name_(const char *p)                                                    \
	{                                                                                          \
		return (expression);                                                               \
	}
CALL(stat, stat(p, &(struct stat){}))
CALL(lstat, lstat(p, &(struct stat){}))
CALL(mkdir, mkdir(p, 0755))
CALL(rmdir, rmdir(p))
CALL(unlink, unlink(p))
CALL(readlink, readlink(p, (char[9]){}, 9))
CALL(symlink, symlink("t", p))
CALL(mknod, mknod(p, S_IFREG | 0644, 0))
CALL(truncate, truncate(p, 3))
CALL(access, access(p, R_OK | W_OK | X_OK))
CALL(chmod, chmod(p, 0700))
CALL(lchown, lchown(p, 0, 0))
CALL(chdir_, chdir(p) ? -1 : (syscall(SYS_fchdir, home), 0))
CALL(statfs, statfs(p, &(struct statfs){}))
CALL(utimes, utimensat(AT_FDCWD, p, NULL, 0))
CALL(lutimes, utimensat(AT_FDCWD, p, NULL, AT_SYMLINK_NOFOLLOW))
CALL(getxattr, getxattr(p, "trusted.x", NULL, 0))
CALL(lsetxattr, lsetxattr(p, "trusted.x", "v", 1, 0))
CALL(fstatat_empty, fstatat(AT_FDCWD, p, &(struct stat){}, AT_EMPTY_PATH))
CALL(execve, execve(p, (char *[]){ NULL }, NULL))
CALL(link_to, link("f", p))
CALL(link_from, link(p, "new"))
CALL(rename_file_to, rename("f", p))
CALL(rename_dir_to, rename("d", p))
CALL(rename_from, rename(p, "new"))
CALL(rename_from_to_dir, rename(p, "e"))
CALL(rename_noreplace_to, syscall(SYS_renameat2, AT_FDCWD, "d/f", AT_FDCWD, p, RENAME_NOREPLACE))
CALL(rename_exchange, syscall(SYS_renameat2, AT_FDCWD, "full", AT_FDCWD, p, RENAME_EXCHANGE))

static const struct row as_root[] = {
	{ "stat", call_stat, "n......ddd......dnnnnnn.dd....n.nnnlll.d......................n" },
	{ "lstat", call_lstat, "n......ddd......dnnnnnn.dd....n..nn.ll.d......................n" },
	{ "mkdir", call_mkdir, "neeeeeeeddeeeeeee..nn..eedeeee.eeeneeleeeeeeeeeeeeeeeeeeeeeeee." },
	{ "rmdir", call_rmdir, "nvtbvbddddttvttddnnnnnndddddvdntddnddldd..vdddttdtdtbbvtddddddn" },
	{ "unlink", call_unlink,
	  "niiiii.dddiiiii.dnnnnnn.dd.di.ni.dn.dl.diii..dii.i.iiiii.....dn" },
	{ "readlink", call_readlink,
	  "nvvvvvvdddvvvvvvdnnnnnn.dd.vvvnv.nn.llvdvvv.vvvvvvvvvvvvvvvv.vn" },
	{ "symlink", call_symlink,
	  "neeeeeeeddeeeeeee.nnn.needeeee.eeeneeleeeeeeeeeeeeeeeeeeeeeeee." },
	{ "mknod", call_mknod, "neeeeeeeddeeeeeee.nnn.needeeee.eeeneeleeeeeeeeeeeeeeeeeeeeeeee." },
	{ "truncate", call_truncate,
	  "niiiii.dddiiiii.dnnnnnn.ddiii.ninnnlllvdiiii.iiivi.iiiii....iin" },
	{ "access", call_access,
	  "n.....addd.....adnnnnnnadd...an.nnnlllad....a...a.a.....aaaa..n" },
	{ "chmod", call_chmod, "n......ddd......dnnnnnn.dd....n.nnnlll.d......................n" },
	{ "lchown", call_lchown,
	  "n......ddd......dnnnnnn.dd....n..nn.ll.d......................n" },
	{ "chdir_", call_chdir_,
	  "n.....dddd.....ddnnnnnnddd...dn.nnnllldd....d...d.d.....dddd..n" },
	{ "statfs", call_statfs,
	  "n......ddd......dnnnnnn.dd....n.nnnlll.d......................n" },
	{ "utimes", call_utimes,
	  "n......ddd......dnnnnnn.dd....n.nnnlll.d......................n" },
	{ "lutimes", call_lutimes,
	  "n......ddd......dnnnnnn.dd....n..nn.ll.d......................n" },
	{ "getxattr", call_getxattr,
	  "nDDDDDDdddDDDDDDdnnnnnnDddDDDDnDnnnlllDdDDDDDDDDDDDDDDDDDDDDDDn" },
	{ "lsetxattr", call_lsetxattr,
	  "n......ddd......dnnnnnn.dd....n..nn.ll.d......................n" },
	{ "fstatat_empty", call_fstatat_empty,
	  ".......ddd......dnnnnnn.dd....n.nnnlll.d......................n" },
	{ "execve", call_execve,
	  "naaaaaadddaaaaaadnnnnnnaddaaaanannnllladaaaaaaaaaaaaaaaaaaaaaan" },
	{ "link_to", call_link_to,
	  "neeeeeeeddeeeeeee.nnn.needeeee.eeeneeleeeeeeeeeeeeeeeeeeeeeeee." },
	{ "link_from", call_link_from,
	  "npxxpx.dddppppp.dnnnnnn.dd.pp.np.nn.ll.dppp..ppp.p.pxxxpx....pn" },
	{ "rename_file_to", call_rename_file_to,
	  "nbbxbx.dddidbbb.d.dnn.d.dd.db..b.dn.dl.didb..did.i.bidxxx....d." },
	{ "rename_dir_to", call_rename_dir_to,
	  "nbbxbxdddd..bbbvv..nnvvdddddbvvbddnddldd..bdvdttdtdbbbxxxvvdddv" },
	{ "rename_from", call_rename_from,
	  "nbbxbx.ddd..bbb.dnnnnnn.dd.db.nb.dn.dl.d..b..d.....bbbxxx....dn" },
	{ "rename_from_to_dir", call_rename_from_to_dir,
	  "nbbxbxiddd..bbbidnnnnnniddidbinbidnidlid..biid..i.ibbbxxxiiiidn" },
	{ "rename_noreplace_to", call_rename_noreplace_to,
	  "neexexeeddeeeeeee.dnn.deedeeee.eeeneeleeeeeeeeeeeeeeeexxxeeeee." },
	{ "rename_exchange", call_rename_exchange,
	  "nbbxbx.ddd..bbb.dnnnnnn.dd.db.nb.dn.dl.d..b..d.....bbbxxx....dn" },
};

static const struct row as_user[] = {
	{ "stat", call_stat, "n......ddd......dnnnnnn.dd....n.nnnlll.d..........aa..........n" },
	{ "lstat", call_lstat, "n......ddd......dnnnnnn.dd....n..nn.ll.d..........aa..........n" },
	{ "mkdir", call_mkdir, "neeeeeeeddeeeeeee..nn..eedeeee.eeeneeleeeeeeeeeeeeaaeeeeeeeeee." },
	{ "rmdir", call_rmdir, "nvtbvbddddttvttppnnnnnndddddvpntddnddldd..vdpdttdtaabbvtpppdddn" },
	{ "unlink", call_unlink,
	  "niiiii.dddiiiiipdnnnnnn.dd.dipni.dn.dl.diii.pdii.iaaiiiippp..dn" },
	{ "readlink", call_readlink,
	  "nvvvvvvdddvvvvvvdnnnnnn.dd.vvvnv.nn.llvdvvv.vvvvvvaavvvvvvvv.vn" },
	{ "symlink", call_symlink,
	  "neeeeeeeddeeeeeee.nnn.needeeee.eeeneeleeeeeeeeeeeeaaeeeeeeeeee." },
	{ "mknod", call_mknod, "neeeeeeeddeeeeeee.nnn.needeeee.eeeneeleeeeeeeeeeeeaaeeeeeeeeee." },
	{ "truncate", call_truncate,
	  "niiiiiadddiiiiiadnnnnnnaddiiianinnnlllvdiiiiaiiiviaaiiiiaaaaiin" },
	{ "access", call_access,
	  "n.....addd.....adnnnnnnadd...an.nnnlllad....a...a.a.....aaaa..n" },
	{ "chmod", call_chmod, "nppppppdddppppppdnnnnnnpddppppnpnnnlllpdppppppppppaappppppppppn" },
	{ "lchown", call_lchown,
	  "nppppppdddppppppdnnnnnnpddppppnppnnpllpdppppppppppaappppppppppn" },
	{ "statfs", call_statfs,
	  "n......ddd......dnnnnnn.dd....n.nnnlll.d..........aa..........n" },
	{ "utimes", call_utimes,
	  "n.aa.aaddd.....adnnnnnnadd...an.nnnllladaaa.a.aaaaaa....aaaa..n" },
	{ "lutimes", call_lutimes,
	  "n.aa.aaddd.....adnnnnnn.dd...an..nn.lladaaa.a.aaaaaa....aaaa..n" },
	{ "getxattr", call_getxattr,
	  "nDDDDDDdddDDDDDDdnnnnnnDddDDDDnDnnnlllDdDDDDDDDDDDaaDDDDDDDDDDn" },
	{ "lsetxattr", call_lsetxattr,
	  "nppppppdddppppppdnnnnnnpddppppnppnnpllpdppppppppppaappppppppppn" },
	{ "fstatat_empty", call_fstatat_empty,
	  ".......ddd......dnnnnnn.dd....n.nnnlll.d..........aa..........n" },
	{ "link_to", call_link_to,
	  "neeeeeeeddeeeeeeepnnnpneedeeeepeeeneeleeeeeeeeeeeeaaeeeeeeeeeep" },
	{ "link_from", call_link_from,
	  "npxxpxpdddppppppdnnnnnnpddppppnppnnpllpdppppppppppaaxxxpxpppppn" },
	{ "rename_file_to", call_rename_file_to,
	  "nbbxbx.dddidbbbpd.dnn.d.dd.dbp.b.dn.dl.didb.pdid.iaaidxxxpp..d." },
	{ "rename_dir_to", call_rename_dir_to,
	  "nbbxbxdddd..bbbvv..nnvvdddddbvvbddnddldd..bdvdttdtaabbxxxvvdddv" },
	{ "rename_from", call_rename_from,
	  "nbbxbx.ddd..bbbpdnnnnnn.dd.dbpnb.dn.dl.d..b.pd....aabbxxxpp..dn" },
	{ "rename_from_to_dir", call_rename_from_to_dir,
	  "nbbxbxiddd..bbbpdnnnnnniddidbpnbidnidlid..bipd..i.aabbxxxppiidn" },
	{ "rename_noreplace_to", call_rename_noreplace_to,
	  "neexexeeddeeeeeeepdnnpdeedeeeepeeeneeleeeeeeeeeeeeaaeexxxeeeeep" },
	{ "rename_exchange", call_rename_exchange,
	  "nbbxbx.ddd..bbbpdnnnnnn.dd.dbpnb.dn.dl.d..b.pd....aabbxxxpp..dn" },
};

static const struct {
	const char *name;
	int flags;
	const char *answers;
} opens[] = {
	{ "O_RDONLY | O_NONBLOCK", O_RDONLY | O_NONBLOCK,
	  "n......ddd......dnnnnnn.dd....n.nnnlll.d........o.............n" },
	{ "O_WRONLY | O_NONBLOCK", O_WRONLY | O_NONBLOCK,
	  "niiiii.dddiiiii.dnnnnnn.ddiii.ninnnlllodiiii.iiioi.iiiii....iin" },
	{ "O_RDWR | O_NONBLOCK", O_RDWR | O_NONBLOCK,
	  "niiiii.dddiiiii.dnnnnnn.ddiii.ninnnlll.diiii.iiioi.iiiii....iin" },
	{ "O_DIRECTORY", O_DIRECTORY,
	  "n.....dddd.....ddnnnnnnddd...dn.nnnllldd....d...d.d.....dddd..n" },
	{ "O_RDONLY | O_NOFOLLOW | O_NONBLOCK", O_RDONLY | O_NOFOLLOW | O_NONBLOCK,
	  "n......ddd......dnnnnnnlddl...n.lnnlll.d...l....o...........l.n" },
	{ "O_PATH", O_PATH, "n......ddd......dnnnnnn.dd....n.nnnlll.d......................n" },
	{ "O_PATH | O_NOFOLLOW", O_PATH | O_NOFOLLOW,
	  "n......ddd......dnnnnnn.dd....n..nn.ll.d......................n" },
	{ "O_CREAT | O_RDWR | O_NONBLOCK", O_CREAT | O_RDWR | O_NONBLOCK,
	  "niiiii.iddiiiii.i.inn.i.idiii..i.inlil.iiiii.iiioi.iiiii....ii." },
	{ "O_CREAT | O_EXCL | O_RDWR", O_CREAT | O_EXCL | O_RDWR,
	  "neeeeeeiddeieeeei.inn.ieideiee.eeineileieieeeieieeeeeieeeeeeei." },
	{ "O_CREAT | O_NOFOLLOW | O_RDWR | O_NONBLOCK", O_CREAT | O_NOFOLLOW | O_RDWR | O_NONBLOCK,
	  "niiiii.iddiiiii.i.inn.ilidlii..ilinlil.iiiil.iiioi.iiiii....li." },
	{ "O_TRUNC | O_RDONLY | O_NONBLOCK", O_TRUNC | O_RDONLY | O_NONBLOCK,
	  "niiiii.dddiiiii.dnnnnnn.ddiii.ninnnlll.diiii.iiioi.iiiii....iin" },
	{ "O_CREAT | O_TRUNC | O_WRONLY | O_NONBLOCK", O_CREAT | O_TRUNC | O_WRONLY | O_NONBLOCK,
	  "niiiii.iddiiiii.i.inn.i.idiii..i.inliloiiiii.iiioi.iiiii....ii." },
	{ "O_TMPFILE | O_RDWR", O_TMPFILE | O_RDWR,
	  "n.....dddd.....ddnnnnnnddd...dn.nnnllldd....d...d.d.....dddd..n" },
	{ "O_DIRECT | O_NONBLOCK", O_DIRECT | O_NONBLOCK,
	  "nvvvvvvdddvvvvvvdnnnnnnvddvvvvnvnnnlllvdvvvvvvvvovvvvvvvvvvvvvn" },
	{ "O_NOATIME | O_NONBLOCK", O_NOATIME | O_NONBLOCK,
	  "n......ddd......dnnnnnn.dd....n.nnnlll.d........o.............n" },
};

static void compare(const char *section, const char *name, const char *got, const char *want)
{
	if (strcmp(got, want) != 0)
		test_fail(__FILE__, __LINE__, "ROW %s [%s] got \"%s\", not \"%s\"", section, name,
			  got, want);
}

static void run_rows(const char *section, const struct row *rows, size_t count, uid_t user)
{
	for (size_t i = 0; i < count; i++) {
		char got[PATHS + 1] = "";

		for (size_t p = 0; p < PATHS; p++) {
			set_up();
			home = open(".", O_PATH);
			if (seteuid(user))
				exit(1);
			errno = 0;
			got[p] = errno_letter(rows[i].call(paths[p]));
			if (seteuid(0))
				exit(1);
			close(home);
			tear_down();
		}
		compare(section, rows[i].name, got, rows[i].answers);
	}
}

TEST(calls_answer_as_on_linux)
{
	run_rows("root", as_root, sizeof(as_root) / sizeof(as_root[0]), 0);
}

TEST(calls_of_a_user_answer_as_on_linux)
{
	chmod(".", 0755);
	run_rows("user", as_user, sizeof(as_user) / sizeof(as_user[0]), 1000);
}

TEST(opens_answer_as_on_linux)
{
	for (size_t i = 0; i < sizeof(opens) / sizeof(opens[0]); i++) {
		char got[PATHS + 1] = "";

		for (size_t p = 0; p < PATHS; p++) {
			int fd;

			set_up();
			errno = 0;
			fd = open(paths[p], opens[i].flags, 0644);
			got[p] = errno_letter(fd);
			if (fd >= 0)
				close(fd);
			tear_down();
		}
		compare("open", opens[i].name, got, opens[i].answers);
	}
}
