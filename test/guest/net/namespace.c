/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network name spaces: network_namespaces(7), setns(2), unshare(2). */
#include "net_test.h"

#include <fcntl.h>
#include <ifaddrs.h>
#include <sched.h>
#include <sys/un.h>
#include <sys/wait.h>

static int open_own(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	REQUIRE(fd >= 0);
	return fd;
}

static int try_bind(int port)
{
	struct sockaddr_in address = loopback_address(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0), error = 0;

	if (bind(fd, (struct sockaddr *)&address, sizeof(address)))
		error = errno;
	close(fd);
	return error;
}

static int try_connect(int port)
{
	struct sockaddr_in address = loopback_address(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0), error = 0;

	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		error = errno;
	close(fd);
	return error;
}

static int count_lines(const char *file)
{
	FILE *in = fopen(file, "r");
	char line[512];
	int count = 0;

	REQUIRE(in);
	while (fgets(line, sizeof(line), in))
		count++;
	fclose(in);
	return count;
}

TEST(network_namespace_is_separate)
{
	int outside = open_own(), listener, port;
	struct ifreq request = { .ifr_name = "lo" };
	int fd;

	loopback_up();
	listener = bound(SOCK_STREAM);
	port = port_of(listener);
	EXPECT_EQ(try_connect(port), 0);
	REQUIRE(unshare(CLONE_NEWNET) == 0);
	/* A loopback device of its own, down and without addresses. */
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	REQUIRE(ioctl(fd, SIOCGIFFLAGS, &request) == 0);
	EXPECT_EQ(request.ifr_flags & IFF_UP, 0);
	EXPECT_EQ(if_nametoindex("lo"), 1);
	EXPECT_EQ(if_nametoindex("eth0"), 0);
	close(fd);
	EXPECT_EQ(try_connect(port), ENETUNREACH);
	loopback_up();
	EXPECT_EQ(try_connect(port), ECONNREFUSED);
	EXPECT_EQ(try_bind(port), 0);
	EXPECT_EQ(count_lines("/proc/net/tcp"), 1);
	EXPECT_EQ(count_lines("/proc/self/net/dev"), 3);
	REQUIRE(setns(outside, CLONE_NEWNET) == 0);
	EXPECT_EQ(try_connect(port), 0);
	EXPECT_EQ(try_bind(port), EADDRINUSE);
	close(listener);
	close(outside);
}

/* What /proc/PID/net shows is where that process is, and not who reads it. */
TEST(proc_net_is_that_of_the_process)
{
	char path[64];
	int listener, ready[2];
	char byte;
	pid_t child;

	loopback_up();
	listener = bound(SOCK_STREAM);
	REQUIRE(pipe(ready) == 0);
	child = fork();
	if (child == 0) {
		snprintf(path, sizeof(path), "/proc/%d/net/tcp", getppid());
		REQUIRE(unshare(CLONE_NEWNET) == 0);
		byte = count_lines("/proc/net/tcp") == 1 && count_lines(path) > 1;
		REQUIRE(write(ready[1], &byte, 1) == 1);
		pause();
	}
	REQUIRE(read(ready[0], &byte, 1) == 1);
	EXPECT_EQ(byte, 1);
	snprintf(path, sizeof(path), "/proc/%d/net/tcp", child);
	EXPECT_EQ(count_lines(path), 1);
	EXPECT(count_lines("/proc/net/tcp") > 1);
	close(listener);
}

TEST(sockets_stay_in_their_network_namespace)
{
	int outside = open_own(), inner, listener, port, server, client;
	struct sockaddr_in address;
	char byte = 'x';

	loopback_up();
	REQUIRE(unshare(CLONE_NEWNET) == 0);
	inner = open_own();
	loopback_up();
	listener = bound(SOCK_STREAM);
	port = port_of(listener);
	client = socket(AF_INET, SOCK_STREAM, 0);
	REQUIRE(setns(outside, CLONE_NEWNET) == 0);
	/* A socket made inside connects there, whoever uses it. */
	address = loopback_address(port);
	EXPECT_EQ(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
	server = accept(listener, NULL, NULL);
	REQUIRE(server >= 0);
	EXPECT_EQ(write(client, &byte, 1), 1);
	EXPECT_EQ(read(server, &byte, 1), 1);
	EXPECT_EQ(try_connect(port), ECONNREFUSED);
	EXPECT_ERRNO(setns(inner, CLONE_NEWUTS), EINVAL);
	close(client);
	close(server);
	close(listener);
	close(inner);
	close(outside);
}

static int bind_abstract(int *fd)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0name in a network" };

	*fd = socket(AF_UNIX, SOCK_STREAM, 0);
	return bind(*fd, (struct sockaddr *)&name, sizeof(name)) ? errno : 0;
}

TEST(abstract_names_belong_to_the_network_namespace)
{
	int outside = open_own(), one, two, three;

	EXPECT_EQ(bind_abstract(&one), 0);
	EXPECT_EQ(bind_abstract(&two), EADDRINUSE);
	REQUIRE(unshare(CLONE_NEWNET) == 0);
	EXPECT_EQ(bind_abstract(&three), 0);
	REQUIRE(setns(outside, CLONE_NEWNET) == 0);
	close(one);
	close(two);
	close(three);
	close(outside);
}

TEST(settings_belong_to_the_network_namespace)
{
	int outside = open_own(), fd;
	char text[64] = "";

	REQUIRE(unshare(CLONE_NEWNET) == 0);
	fd = open("/proc/sys/net/ipv4/ip_local_port_range", O_RDWR);
	REQUIRE(fd >= 0);
	EXPECT_EQ(write(fd, "40000 40010", 11), 11);
	close(fd);
	loopback_up();
	fd = bound(SOCK_DGRAM);
	EXPECT(port_of(fd) >= 40000 && port_of(fd) <= 40010);
	close(fd);
	REQUIRE(setns(outside, CLONE_NEWNET) == 0);
	fd = open("/proc/sys/net/ipv4/ip_local_port_range", O_RDONLY);
	EXPECT(read(fd, text, sizeof(text) - 1) > 0);
	EXPECT(strcmp(text, "32768\t60999\n") == 0);
	close(fd);
	close(outside);
}

TEST(network_namespaces_come_and_go)
{
	for (int i = 0; i < 20; i++) {
		pid_t child = fork();
		int status;

		if (!child) {
			int client, server;

			if (unshare(CLONE_NEWNET))
				_exit(1);
			loopback_up();
			connected(&client, &server); /* left open: ends in TIME_WAIT */
			_exit(0);
		}
		REQUIRE(waitpid(child, &status, 0) == child);
		EXPECT_EQ(status, 0);
	}
}

TEST(unprivileged_users_make_no_network_namespace)
{
	pid_t child = fork();
	int status;

	if (!child) {
		if (setresuid(65534, 65534, 65534))
			_exit(1);
		_exit(unshare(CLONE_NEWNET) == -1 && errno == EPERM ? 0 : 2);
	}
	REQUIRE(waitpid(child, &status, 0) == child);
	EXPECT_EQ(status, 0);
}
