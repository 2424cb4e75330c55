/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Strates that are killed at random moments under load: their clients get errors and go on, and one that is started anew serves. */
#include <guest_test.h>

#include <dirent.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 20

int ramfs_main(int argc, char **argv);

/* Mounts it; the strate is in the process group that is returned. */
static pid_t start_strate(bool channel)
{
	char *with[] = { "ramfs", "--channel", "mnt", NULL }, *without[] = { "ramfs", "mnt", NULL };

	IN_CHILD(pid)
	{
		setpgid(0, 0);
		_exit(channel ? ramfs_main(3, with) : ramfs_main(2, without));
	}
	EXPECT_EQ(wait_status(pid), 0);
	return pid;
}

/* One round of everything; 0 as long as the strate answers. */
static int use_files(int number)
{
	static char data[20000], back[20000];
	char name[32];
	int fd, error = 0;
	DIR *dir;

	snprintf(name, sizeof(name), "mnt/file%d", number);
	fd = open(name, O_RDWR | O_CREAT, 0600);
	if (fd < 0)
		return errno;
	memset(data, number, sizeof(data));
	if (write(fd, data, sizeof(data)) < 0 || pread(fd, back, sizeof(back), 0) < 0 ||
	    fsync(fd) < 0)
		error = errno;
	close(fd);
	if (error)
		return error;
	dir = opendir("mnt");
	if (!dir)
		return errno;
	errno = 0;
	while (readdir(dir))
		;
	error = errno;
	closedir(dir);
	return error ? error : unlink(name) ? errno : 0;
}

/* Works until the strate is gone: exits with 0 if it was told so by one of the errors that say it. */
static void work(int number)
{
	int error;

	alarm(30); /* nobody waits for ever */
	while (!(error = use_files(number)))
		;
	_exit(error == EIO || error == ENOTCONN || error == ECONNABORTED || error == ECONNREFUSED
		      ? 0
		      : error);
}

static void kill_often(bool channel)
{
	const char *other = getenv("seed"); /* GUEST_WORDS=seed=N: other moments */
	unsigned seed = other ? (unsigned)atoi(other) : 7;

	mkdir("mnt", 0755);
	EXPECT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0); /* the strate becomes our child */
	for (int round = 0; round < ROUNDS; round++) {
		pid_t strate = start_strate(channel);

		IN_CHILD(one)
		work(1);
		IN_CHILD(two)
		work(2);
		usleep((useconds_t)(rand_r(&seed) % 40000));
		EXPECT_EQ(kill(-strate, SIGKILL), 0);
		EXPECT_EQ(wait_status(one), 0);
		EXPECT_EQ(wait_status(two), 0);
		EXPECT_EQ(umount2("mnt", MNT_DETACH), 0);
		EXPECT(waitpid(-strate, NULL, 0) > 0);
	}
	start_strate(channel);
	EXPECT_EQ(use_files(1), 0);
	EXPECT_EQ(umount("mnt"), 0);
}

TEST(killed_over_the_device)
{
	kill_often(false);
}

TEST(killed_over_a_channel)
{
	kill_often(true);
}
