/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets in silos: their own network, that of the maker, a list, names. */
#include "silo_test.h"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

TEST(names_in_files_are_denied_unless_allowed)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0outside" };
	int pair[2], server = socket(AF_UNIX, SOCK_STREAM, 0);

	EXPECT_EQ(bind(server, (void *)&name, sizeof(name)), 0);
	EXPECT_EQ(listen(server, 1), 0);
	make_silo();
	IN_CHILD(pid)
	{
		ENTER(standard, 3);
		EXPECT_ERRNO(socket(AF_UNIX, SOCK_STREAM, 0), EACCES);
		EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		/* Nor does a socket of a pair lead to names. */
		EXPECT_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
		EXPECT_ERRNO(connect(pair[0], (void *)&name, sizeof(name)), EACCES);
		EXPECT_ERRNO(bind(pair[0], (void *)&name, sizeof(name)), EACCES);
		EXPECT_ERRNO(sendto(pair[0], "x", 1, 0, (void *)&name, sizeof(name)), EACCES);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT(was_denied(CAIRN_SILO_DENIED_SOCKET, AF_UNIX));
	close(silo);
	make_silo();
	EXPECT_EQ(cairn_silo_configure(silo, CAIRN_SILO_ALLOW, CAIRN_SILO_ALLOW_UNIX), 0);
	IN_CHILD(allowed)
	{
		int fd;

		ENTER(standard, 3);
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		/* Abstract names are the network's, and that is another one. */
		EXPECT_ERRNO(connect(fd, (void *)&name, sizeof(name)), ECONNREFUSED);
		EXPECT_EQ(bind(fd, (void *)&name, sizeof(name)), 0);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(allowed), 0);
}

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons((unsigned short)port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static void bring_loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	EXPECT_EQ(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	close(fd);
}

static int call_port(int (*call)(int, const struct sockaddr *, socklen_t), int type, int port)
{
	struct sockaddr_in to = loopback(port);
	int fd = socket(AF_INET, type, 0), result, saved;

	if (fd < 0)
		return -1;
	result = call(fd, (void *)&to, sizeof(to));
	saved = errno;
	close(fd);
	errno = saved;
	return result;
}

/* There is one interface, and it is not that of outside. */
static void expect_own_interface(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	struct if_nameindex *names = if_nameindex();
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	EXPECT(names && names[0].if_index && !names[1].if_index);
	EXPECT_EQ(strcmp(names[0].if_name, "lo"), 0);
	EXPECT_EQ(ioctl(fd, SIOCGIFMTU, &request), 0);
	EXPECT_EQ(request.ifr_mtu, 65536);
	if_freenameindex(names);
}

static void set_mtu(int mtu)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_mtu = mtu };

	EXPECT_EQ(ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCSIFMTU, &request), 0);
}

static int serve_port(int port)
{
	struct sockaddr_in name = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	EXPECT_EQ(bind(fd, (void *)&name, sizeof(name)), 0);
	EXPECT_EQ(listen(fd, 2), 0);
	return fd;
}

TEST(a_network_of_its_own)
{
	struct sockaddr_in far = { .sin_family = AF_INET,
				   .sin_port = htons(80),
				   .sin_addr.s_addr = htonl(0xc0000201) };
	int server, given = socket(AF_INET, SOCK_STREAM, 0);
	const int keep[] = { 0, 1, 2, given };

	bring_loopback_up();
	set_mtu(9000);
	server = serve_port(4100);
	make_silo();
	IN_CHILD(pid)
	{
		struct sockaddr_in there = loopback(4100);
		int own;

		ENTER(keep, 4);
		EXPECT_ERRNO(call_port(connect, SOCK_STREAM, 4100), ECONNREFUSED);
		own = serve_port(4100); /* the number is free here */
		EXPECT_EQ(call_port(connect, SOCK_STREAM, 4100), 0);
		EXPECT(accept(own, NULL, NULL) >= 0);
		expect_own_interface();
		EXPECT(socket(AF_NETLINK, SOCK_RAW, 0) >= 0);
		EXPECT_ERRNO(socket(AF_INET, SOCK_RAW, 1), EPERM);
		EXPECT_ERRNO(connect(own, (void *)&far, sizeof(far)), EACCES);
		/* A socket from outside is of the network there. */
		EXPECT_ERRNO(connect(given, (void *)&there, sizeof(there)), EACCES);
		EXPECT_ERRNO(bind(given, (void *)&far, sizeof(far)), EACCES);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT(was_denied(CAIRN_SILO_DENIED_ADDRESS, CAIRN_SILO_NETWORK_CONNECT));
	EXPECT_EQ(fcntl(server, F_SETFL, O_NONBLOCK), 0);
	EXPECT_ERRNO(accept(server, NULL, NULL), EAGAIN);
	set_mtu(65536);
}

TEST(the_network_of_its_maker)
{
	bring_loopback_up();
	serve_port(4101);
	make_silo();
	EXPECT_EQ(cairn_silo_configure(silo, CAIRN_SILO_ALLOW, CAIRN_SILO_ALLOW_NETWORK), 0);
	IN_CHILD(pid)
	{
		struct cairn_silo_network_rule rule = { .operations = CAIRN_SILO_NETWORK_CONNECT,
							.last_port = 65535 };
		int root;

		ENTER(standard, 3);
		EXPECT_EQ(call_port(connect, SOCK_STREAM, 4101), 0);
		/* One inside is let out as far as this one is. */
		silo = cairn_silo_create(0);
		root = open("/", O_RDONLY | O_DIRECTORY);
		EXPECT_EQ(cairn_silo_configure(silo, CAIRN_SILO_ROOT, (__u64)root), 0);
		EXPECT_EQ(cairn_silo_allow_network(silo, &rule), 0);
		EXPECT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
		ENTER(&silo, 1); /* it would end with its last handle */
		EXPECT_EQ(call_port(connect, SOCK_STREAM, 4101), 0);
		EXPECT_ERRNO(call_port(bind, SOCK_STREAM, 4102), EACCES);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

/* 127.0.0.0/8, ports 4000 to 4009, to bind and connect; 4010 to connect only. */
TEST(a_network_with_a_list)
{
	struct cairn_silo_network_rule rule = { .address = { [10] = 0xff, [11] = 0xff, [12] = 127 },
						.prefix = 104,
						.operations = CAIRN_SILO_NETWORK_BIND |
							      CAIRN_SILO_NETWORK_CONNECT,
						.first_port = 4000,
						.last_port = 4009 };

	bring_loopback_up();
	set_mtu(9000);
	make_silo();
	EXPECT_EQ(cairn_silo_allow_network(silo, &rule), 0);
	rule.first_port = rule.last_port = 4010;
	rule.operations = CAIRN_SILO_NETWORK_CONNECT;
	EXPECT_EQ(cairn_silo_allow_network(silo, &rule), 0);
	rule.prefix = 129;
	EXPECT_ERRNO(cairn_silo_allow_network(silo, &rule), EINVAL);
	IN_CHILD(pid)
	{
		struct sockaddr_in far = { .sin_family = AF_INET, .sin_port = htons(4000) };
		struct sockaddr_in there = loopback(4011);
		int fd;

		ENTER(standard, 3);
		EXPECT_EQ(call_port(bind, SOCK_STREAM, 4000), 0);
		EXPECT_EQ(call_port(bind, SOCK_DGRAM, 4009), 0);
		EXPECT_ERRNO(call_port(bind, SOCK_STREAM, 4010), EACCES);
		EXPECT_ERRNO(call_port(bind, SOCK_STREAM, 80), EACCES);
		EXPECT_ERRNO(call_port(bind, SOCK_STREAM, 0), EACCES);
		EXPECT_ERRNO(call_port(connect, SOCK_STREAM, 4010), ECONNREFUSED);
		EXPECT_ERRNO(call_port(connect, SOCK_STREAM, 4011), EACCES);
		EXPECT_ERRNO(socket(AF_INET, SOCK_RAW, 1), EPERM);
		expect_own_interface(); /* of the rest of that network nothing shows */
		fd = socket(AF_INET, SOCK_STREAM, 0);
		EXPECT_ERRNO(listen(fd, 1), EACCES);			   /* on any port */
		EXPECT_ERRNO(bind(fd, (void *)&far, sizeof(far)), EACCES); /* on any address */
		fd = socket(AF_INET, SOCK_DGRAM, 0);
		EXPECT_ERRNO(sendto(fd, "x", 1, 0, (void *)&there, sizeof(there)), EACCES);
		there = loopback(4010);
		EXPECT_EQ(sendto(fd, "x", 1, 0, (void *)&there, sizeof(there)), 1);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT(was_denied(CAIRN_SILO_DENIED_ADDRESS, CAIRN_SILO_NETWORK_BIND));
	EXPECT(was_denied(CAIRN_SILO_DENIED_ADDRESS, CAIRN_SILO_NETWORK_CONNECT));
	set_mtu(65536);
}
