/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options and settings that need a wire: pacing, and a full queue that is told of. */
#include "../../../arch/host/host.h"
#include "../../../arch/host/wire.h"

#include <lib/errno.h>
#include <lib/test.h>

#include <asm/socket.h>

/* The bytes take the time that the rate says, within a twentieth, whatever the window. */
TEST(tcp_pacing_holds_the_rate)
{
	struct socket *client, *server;
	u64 start;

	wire_init(5);
	wire_connect(80, &client, &server);
	client->pacing_rate = 1000000;
	client->ops->option_changed(client, SO_MAX_PACING_RATE);
	EXPECT(wire_transfer(client, server, 100000, 10 * NSEC_PER_SEC));
	start = host_clock_ns;
	EXPECT(wire_transfer(client, server, 2000000, 10 * NSEC_PER_SEC));
	EXPECT_LT(1900 * NSEC_PER_MSEC, host_clock_ns - start);
	EXPECT_LT(host_clock_ns - start, 2100 * NSEC_PER_MSEC);
	wire_close(client, server);
}

/* Two handshakes under way at once, and room for one: net.ipv4.tcp_abort_on_overflow tells the other. */
TEST(tcp_full_queue_is_told_of_if_asked)
{
	struct socket_address to;
	struct socket *listener, *clients[2];
	unsigned refused = 0;

	wire_init(5);
	initial_network.sysctl.tcp.abort_on_overflow = true;
	to = host_net_address(2, 80);
	listener = host_net_socket();
	EXPECT_EQ(listener->ops->bind(listener, &to), 0);
	EXPECT_EQ(listener->ops->listen(listener, 0), 0);
	for (unsigned i = 0; i < 2; i++) {
		clients[i] = host_net_socket();
		(void)!clients[i]->ops->connect(clients[i], &to);
	}
	wire_run(NSEC_PER_SEC);
	for (unsigned i = 0; i < 2; i++)
		refused += wire_read(clients[i], 1) == -ECONNRESET;
	EXPECT_EQ(refused, 1);
	host_net_socket_free(listener);
	wire_close(clients[0], clients[1]);
}
