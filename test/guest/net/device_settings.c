/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net.{ipv4,ipv6}.{conf,neigh}: ip-sysctl.rst of Linux. */
#include "net_config.h"

#include <linux/netconf.h>

TEST(settings_begin_as_on_linux)
{
	static const struct {
		const char *name;
		int all, standard, loopback, device;
	} rows[] = {
		{ "ipv4/conf/%s/accept_local", 0, 0, 0, 0 },
		{ "ipv4/conf/%s/accept_redirects", 1, 1, 1, 1 },
		{ "ipv4/conf/%s/arp_accept", 0, 0, 0, 0 },
		{ "ipv4/conf/%s/arp_announce", 0, 0, 0, 0 },
		{ "ipv4/conf/%s/arp_filter", 0, 0, 0, 0 },
		{ "ipv4/conf/%s/arp_ignore", 0, 0, 0, 0 },
		{ "ipv4/conf/%s/arp_notify", 0, 0, 0, 0 },
		{ "ipv4/conf/%s/drop_gratuitous_arp", 0, 0, 0, 0 },
		{ "ipv4/conf/%s/drop_unicast_in_l2_multicast", 0, 0, 0, 0 },
		{ "ipv4/conf/%s/forwarding", 0, 0, 0, 0 },
		{ "ipv4/conf/%s/igmpv3_unsolicited_report_interval", 1000, 1000, 1000, 1000 },
		{ "ipv4/conf/%s/log_martians", 0, 0, 0, 0 },
		{ "ipv4/conf/%s/promote_secondaries", 0, 0, 0, 0 },
		{ "ipv4/conf/%s/proxy_arp", 0, 0, 0, 0 },
		{ "ipv4/conf/%s/route_localnet", 0, 0, 0, 0 },
		{ "ipv4/conf/%s/rp_filter", 0, 0, 0, 0 },
		{ "ipv4/conf/%s/secure_redirects", 1, 1, 1, 1 },
		{ "ipv4/conf/%s/send_redirects", 1, 1, 1, 1 },
		{ "ipv4/conf/%s/shared_media", 1, 1, 1, 1 },
		{ "ipv6/conf/%s/accept_dad", 0, 1, -1, 1 },
		{ "ipv6/conf/%s/accept_ra", 1, 1, 1, 1 },
		{ "ipv6/conf/%s/accept_ra_defrtr", 1, 1, 1, 1 },
		{ "ipv6/conf/%s/accept_ra_from_local", 0, 0, 0, 0 },
		{ "ipv6/conf/%s/accept_ra_min_hop_limit", 1, 1, 1, 1 },
		{ "ipv6/conf/%s/accept_ra_mtu", 1, 1, 1, 1 },
		{ "ipv6/conf/%s/accept_ra_pinfo", 1, 1, 1, 1 },
		{ "ipv6/conf/%s/accept_redirects", 1, 1, 1, 1 },
		{ "ipv6/conf/%s/addr_gen_mode", 0, 0, 0, 0 },
		{ "ipv6/conf/%s/autoconf", 1, 1, 1, 1 },
		{ "ipv6/conf/%s/dad_transmits", 1, 1, 1, 1 },
		{ "ipv6/conf/%s/disable_ipv6", 0, 0, 0, 0 },
		{ "ipv6/conf/%s/drop_unicast_in_l2_multicast", 0, 0, 0, 0 },
		{ "ipv6/conf/%s/drop_unsolicited_na", 0, 0, 0, 0 },
		{ "ipv6/conf/%s/forwarding", 0, 0, 0, 0 },
		{ "ipv6/conf/%s/hop_limit", 64, 64, 64, 64 },
		{ "ipv6/conf/%s/keep_addr_on_down", 0, 0, 0, 0 },
		{ "ipv6/conf/%s/max_addresses", 16, 16, 16, 16 },
		{ "ipv6/conf/%s/max_desync_factor", 600, 600, 600, 600 },
		{ "ipv6/conf/%s/mldv2_unsolicited_report_interval", 1000, 1000, 1000, 1000 },
		{ "ipv6/conf/%s/mtu", 1280, 1280, 65536, 1500 },
		{ "ipv6/conf/%s/ndisc_notify", 0, 0, 0, 0 },
		{ "ipv6/conf/%s/ndisc_tclass", 0, 0, 0, 0 },
		{ "ipv6/conf/%s/proxy_ndp", 0, 0, 0, 0 },
		{ "ipv6/conf/%s/ra_defrtr_metric", 1024, 1024, 1024, 1024 },
		{ "ipv6/conf/%s/router_solicitation_delay", 1, 1, 1, 1 },
		{ "ipv6/conf/%s/router_solicitation_interval", 4, 4, 4, 4 },
		{ "ipv6/conf/%s/router_solicitation_max_interval", 3600, 3600, 3600, 3600 },
		{ "ipv6/conf/%s/router_solicitations", -1, -1, -1, -1 },
		{ "ipv6/conf/%s/suppress_frag_ndisc", 1, 1, 1, 1 },
		{ "ipv6/conf/%s/temp_prefered_lft", 86400, 86400, 86400, 86400 },
		{ "ipv6/conf/%s/temp_valid_lft", 604800, 604800, 604800, 604800 },
		{ "ipv6/conf/%s/use_tempaddr", 0, 0, -1, 0 },
		{ "ipv4/neigh/%s/base_reachable_time", -1000, -1000, 30, 30 },
		{ "ipv4/neigh/%s/base_reachable_time_ms", -1000, -1000, 30000, 30000 },
		{ "ipv4/neigh/%s/delay_first_probe_time", -1000, -1000, 5, 5 },
		{ "ipv4/neigh/%s/mcast_solicit", -1000, -1000, 3, 3 },
		{ "ipv4/neigh/%s/retrans_time", -1000, -1000, 100, 100 },
		{ "ipv4/neigh/%s/retrans_time_ms", -1000, -1000, 1000, 1000 },
		{ "ipv4/neigh/%s/ucast_solicit", -1000, -1000, 3, 3 },
		{ "ipv4/neigh/%s/unres_qlen_bytes", -1000, -1000, 212992, 212992 },
		{ "ipv6/neigh/%s/base_reachable_time_ms", -1000, -1000, 30000, 30000 },
		{ "ipv6/neigh/%s/retrans_time_ms", -1000, -1000, 1000, 1000 },
		{ "ipv6/neigh/%s/unres_qlen_bytes", -1000, -1000, 212992, 212992 },
	};
	char name[128];

	/* Of neighbours only the first name space has a default. */
	EXPECT_EQ(sysctl_read("ipv4/neigh/default/mcast_solicit"), 3);
	EXPECT_EQ(sysctl_read("ipv6/neigh/default/retrans_time_ms"), 1000);
	EXPECT_EQ(sysctl_read("ipv4/neigh/all/mcast_solicit"), -1000);
	network_new();
	REQUIRE(veth_add("one", "two", -1) == 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static const char *const who[] = { "all", "default", "lo", "one" };
		const int wanted[] = { rows[i].all, rows[i].standard, rows[i].loopback,
				       rows[i].device };

		for (int w = 0; w < 4; w++) {
			snprintf(name, sizeof(name), rows[i].name, who[w]);
			if (!EXPECT_EQ(sysctl_read(name), wanted[w]))
				fprintf(stderr, "%s\n", name);
		}
	}
}

TEST(settings_follow_their_device)
{
	int outside = network_open(), inside = network_new();

	REQUIRE(veth_add("one", "two", -1) == 0);
	EXPECT_EQ(sysctl_write("ipv4/conf/one/rp_filter", "2"), 0);
	EXPECT_EQ(sysctl_write("ipv6/conf/one/hop_limit", "33"), 0);
	EXPECT_EQ(sysctl_write("ipv4/neigh/one/mcast_solicit", "5"), 0);
	EXPECT_EQ(sysctl_read("ipv4/conf/two/rp_filter"), 0);
	/* The directory moves with the name. */
	EXPECT_EQ(link_rename("one", "renamed"), 0);
	EXPECT_EQ(sysctl_read("ipv4/conf/one/rp_filter"), -1000);
	EXPECT_EQ(sysctl_read("ipv4/conf/renamed/rp_filter"), 2);
	EXPECT_EQ(sysctl_read("ipv6/conf/renamed/hop_limit"), 33);
	EXPECT_EQ(sysctl_read("ipv4/neigh/renamed/mcast_solicit"), 5);
	/* A device of the old name is another one. */
	EXPECT_EQ(link_rename("two", "one"), 0);
	EXPECT_EQ(sysctl_read("ipv4/conf/one/rp_filter"), 0);
	/* Another name space sees its own devices. */
	network_enter(outside);
	EXPECT_EQ(sysctl_read("ipv4/conf/renamed/rp_filter"), -1000);
	network_enter(inside);
	EXPECT_EQ(link_delete("renamed"), 0);
	EXPECT_EQ(sysctl_read("ipv4/conf/renamed/rp_filter"), -1000);
	EXPECT_EQ(sysctl_read("ipv4/conf/one/rp_filter"), -1000);
}

TEST(settings_for_all_and_for_those_to_come)
{
	network_new();
	REQUIRE(veth_add("one", "two", -1) == 0);
	/* Forwarding of all is everybody's, and ip_forward is another name of it. */
	EXPECT_EQ(sysctl_write("ipv4/ip_forward", "1"), 0);
	EXPECT_EQ(sysctl_read("ipv4/conf/all/forwarding"), 1);
	EXPECT_EQ(sysctl_read("ipv4/conf/default/forwarding"), 1);
	EXPECT_EQ(sysctl_read("ipv4/conf/one/forwarding"), 1);
	EXPECT_EQ(sysctl_write("ipv4/conf/one/forwarding", "0"), 0);
	EXPECT_EQ(sysctl_read("ipv4/ip_forward"), 1);
	EXPECT_EQ(sysctl_write("ipv6/conf/all/forwarding", "1"), 0);
	EXPECT_EQ(sysctl_read("ipv6/conf/default/forwarding"), 1);
	EXPECT_EQ(sysctl_read("ipv6/conf/one/forwarding"), 1);
	/* Others of `all` are not. */
	EXPECT_EQ(sysctl_write("ipv4/conf/all/rp_filter", "1"), 0);
	EXPECT_EQ(sysctl_read("ipv4/conf/one/rp_filter"), 0);
	EXPECT_EQ(sysctl_write("ipv6/conf/all/hop_limit", "7"), 0);
	EXPECT_EQ(sysctl_read("ipv6/conf/one/hop_limit"), 64);
	/* The default of IPv4 is for those, too, that nobody told otherwise; that of IPv6 is not. */
	EXPECT_EQ(sysctl_write("ipv4/conf/two/arp_ignore", "8"), 0);
	EXPECT_EQ(sysctl_write("ipv4/conf/default/arp_ignore", "2"), 0);
	EXPECT_EQ(sysctl_read("ipv4/conf/one/arp_ignore"), 2);
	EXPECT_EQ(sysctl_read("ipv4/conf/two/arp_ignore"), 8);
	EXPECT_EQ(sysctl_write("ipv6/conf/default/dad_transmits", "4"), 0);
	EXPECT_EQ(sysctl_read("ipv6/conf/one/dad_transmits"), 1);
	REQUIRE(veth_add("three", "four", -1) == 0);
	EXPECT_EQ(sysctl_read("ipv4/conf/three/arp_ignore"), 2);
	EXPECT_EQ(sysctl_read("ipv4/conf/three/rp_filter"), 0);
	EXPECT_EQ(sysctl_read("ipv6/conf/three/dad_transmits"), 4);
	EXPECT_EQ(sysctl_read("ipv6/conf/three/forwarding"), 1);
}

TEST(settings_refuse_what_they_cannot_be)
{
	network_new();
	REQUIRE(veth_add("one", "two", -1) == 0);
	EXPECT_EQ(sysctl_write("ipv6/conf/one/mtu", "1279"), EINVAL);
	EXPECT_EQ(sysctl_write("ipv6/conf/one/mtu", "1501"), EINVAL);
	EXPECT_EQ(sysctl_write("ipv6/conf/one/mtu", "1400"), 0);
	EXPECT_EQ(sysctl_read("ipv6/conf/one/mtu"), 1400);
	EXPECT_EQ(sysctl_write("ipv6/conf/one/addr_gen_mode", "4"), EINVAL);
	EXPECT_EQ(sysctl_write("ipv6/conf/one/addr_gen_mode", "2"), EINVAL);
	EXPECT_EQ(sysctl_write("ipv6/conf/one/ndisc_tclass", "256"), EINVAL);
	EXPECT_EQ(sysctl_write("ipv6/conf/one/ra_defrtr_metric", "0"), EINVAL);
	EXPECT_EQ(sysctl_write("ipv4/conf/one/rp_filter", "x"), EINVAL);
	EXPECT_EQ(sysctl_write("ipv4/neigh/one/ucast_solicit", "-1"), EINVAL);
	EXPECT_EQ(sysctl_write("ipv4/neigh/one/retrans_time_ms", "2500"), 0);
	EXPECT_EQ(sysctl_read("ipv4/neigh/one/retrans_time"), 250);
}

/* How many addresses of IPv6 a device has. */
static int count_ipv6(const char *device)
{
	FILE *file = fopen("/proc/net/if_inet6", "r");
	char line[128], name[32];
	int count = 0;

	REQUIRE(file);
	while (fgets(line, sizeof(line), file))
		count += sscanf(line, "%*s %*s %*s %*s %*s %31s", name) == 1 &&
			 !strcmp(name, device);
	fclose(file);
	return count;
}

/* Waits, as addresses of links come when their carrier was seen. */
static int has_ipv6(const char *device, int count)
{
	for (int i = 0; i < 500 && count_ipv6(device) != count; i++)
		usleep(10000);
	return count_ipv6(device) == count;
}

TEST(ipv6_can_be_disabled_by_device)
{
	network_new();
	REQUIRE(veth_add("one", "two", -1) == 0);
	EXPECT_EQ(link_set("one", true), 0);
	EXPECT_EQ(link_set("two", true), 0);
	EXPECT_EQ(address_add("one", "fd00::1", 64), 0);
	EXPECT(has_ipv6("one", 2));
	EXPECT_EQ(sysctl_write("ipv6/conf/one/disable_ipv6", "1"), 0);
	EXPECT(has_ipv6("one", 0));
	EXPECT(has_ipv6("two", 1));
	EXPECT_EQ(address_add("one", "fd00::1", 64), EACCES);
	EXPECT_EQ(sysctl_write("ipv6/conf/one/disable_ipv6", "0"), 0);
	EXPECT(has_ipv6("one", 1));
	EXPECT_EQ(sysctl_write("ipv6/conf/all/disable_ipv6", "1"), 0);
	EXPECT_EQ(count_ipv6("one") + count_ipv6("two") + count_ipv6("lo"), 0);
	EXPECT_EQ(sysctl_read("ipv6/conf/two/disable_ipv6"), 1);
	EXPECT_EQ(sysctl_write("ipv6/conf/all/disable_ipv6", "0"), 0);
	EXPECT(has_ipv6("lo", 1));
	EXPECT(has_ipv6("two", 1));
}

TEST(ipv6_addresses_are_made_or_kept_as_told)
{
	network_new();
	REQUIRE(veth_add("one", "two", -1) == 0);
	EXPECT_EQ(sysctl_write("ipv6/conf/one/addr_gen_mode", "1"), 0);
	EXPECT_EQ(sysctl_write("ipv6/conf/one/keep_addr_on_down", "1"), 0);
	EXPECT_EQ(link_set("two", true), 0);
	EXPECT_EQ(link_set("one", true), 0);
	EXPECT(has_ipv6("one", 0));
	EXPECT_EQ(address_add("one", "fd00::1", 64), 0);
	EXPECT_EQ(address_add("two", "fd01::1", 64), 0);
	EXPECT_EQ(link_set("one", false), 0);
	EXPECT_EQ(link_set("two", false), 0);
	EXPECT(has_ipv6("one", 1));
	EXPECT(has_ipv6("two", 0));
}

static int count_ipv4(const char *device)
{
	struct ifconf list = {};
	struct ifreq requests[16];
	int fd = socket(AF_INET, SOCK_DGRAM, 0), count = 0;

	list.ifc_len = sizeof(requests);
	list.ifc_req = requests;
	REQUIRE(ioctl(fd, SIOCGIFCONF, &list) == 0);
	for (int i = 0; i < list.ifc_len / (int)sizeof(requests[0]); i++)
		count += !strcmp(requests[i].ifr_name, device);
	close(fd);
	return count;
}

TEST(secondary_addresses_are_promoted_when_told)
{
	network_new();
	REQUIRE(veth_add("one", "two", -1) == 0);
	for (int promote = 0; promote < 2; promote++) {
		EXPECT_EQ(sysctl_write("ipv4/conf/one/promote_secondaries", promote ? "1" : "0"),
			  0);
		EXPECT_EQ(address_add("one", "10.1.0.1", 24), 0);
		EXPECT_EQ(address_add("one", "10.1.0.2", 24), 0);
		EXPECT_EQ(address_add("one", "10.1.0.3", 24), 0);
		EXPECT_EQ(address_change(RTM_DELADDR, "one", "10.1.0.1", 24), 0);
		EXPECT_EQ(count_ipv4("one"), promote ? 2 : 0);
	}
}

/* One number that netlink tells of the settings of a device, of all (-1) or of those to come (-2). */
static int netconf(int family, int index, int attribute)
{
	char answer[1024];
	struct nlmsghdr *header = (struct nlmsghdr *)answer;
	struct net_request r;
	struct netconfmsg *info = request_begin(&r, RTM_GETNETCONF, 0, sizeof(*info));
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), value = -1000;
	struct rtattr *a;
	int left;

	info->ncm_family = (unsigned char)family;
	r.header.nlmsg_flags = NLM_F_REQUEST;
	request_add(&r, NETCONFA_IFINDEX, &index, sizeof(index));
	REQUIRE(send(fd, &r, r.header.nlmsg_len, 0) > 0);
	REQUIRE(recv(fd, answer, sizeof(answer), 0) > 0);
	close(fd);
	if (!EXPECT_EQ(header->nlmsg_type, RTM_NEWNETCONF))
		return value;
	a = (struct rtattr *)(answer + NLMSG_SPACE(sizeof(*info)));
	left = (int)(header->nlmsg_len - NLMSG_SPACE(sizeof(*info)));
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == attribute)
			value = *(int *)RTA_DATA(a);
	return value;
}

TEST(netlink_tells_settings)
{
	int index;

	network_new();
	REQUIRE(veth_add("one", "two", -1) == 0);
	index = (int)if_nametoindex("one");
	EXPECT_EQ(netconf(AF_INET, index, NETCONFA_FORWARDING), 0);
	EXPECT_EQ(sysctl_write("ipv4/conf/one/forwarding", "1"), 0);
	EXPECT_EQ(sysctl_write("ipv4/conf/one/rp_filter", "1"), 0);
	EXPECT_EQ(sysctl_write("ipv4/conf/all/proxy_arp", "1"), 0);
	EXPECT_EQ(sysctl_write("ipv6/conf/default/forwarding", "1"), 0);
	EXPECT_EQ(netconf(AF_INET, index, NETCONFA_FORWARDING), 1);
	EXPECT_EQ(netconf(AF_INET, index, NETCONFA_RP_FILTER), 1);
	EXPECT_EQ(netconf(AF_INET, NETCONFA_IFINDEX_ALL, NETCONFA_PROXY_NEIGH), 1);
	EXPECT_EQ(netconf(AF_INET, NETCONFA_IFINDEX_ALL, NETCONFA_FORWARDING), 0);
	EXPECT_EQ(netconf(AF_INET6, NETCONFA_IFINDEX_DEFAULT, NETCONFA_FORWARDING), 1);
	EXPECT_EQ(netconf(AF_INET6, index, NETCONFA_FORWARDING), 0);
}

/* The file begins with the text, when `whole`, or has it somewhere. */
static bool file_has(const char *path, const char *text, bool whole)
{
	static char bytes[8192];
	FILE *file = fopen(path, "r");
	size_t n;

	if (!EXPECT(file != NULL))
		return false;
	n = fread(bytes, 1, sizeof(bytes) - 1, file);
	bytes[n] = 0;
	fclose(file);
	return whole ? !strcmp(bytes, text) : strstr(bytes, text) != NULL;
}

TEST(short_lists_of_proc_net)
{
	static const char ptype[] = "Type Device      Function\n"
				    "0800          ip_rcv\n"
				    "0806          arp_rcv\n"
				    "86dd          ipv6_rcv\n";
	int fd;

	network_new();
	EXPECT(file_has("/proc/thread-self/net/ptype", ptype, true));
	fd = socket(AF_PACKET, SOCK_RAW, htons(3));
	EXPECT(file_has("/proc/thread-self/net/ptype", "ALL           packet_rcv\n", false));
	close(fd);
	EXPECT(file_has("/proc/thread-self/net/dev_mcast", "", true));
	EXPECT(file_has("/proc/thread-self/net/mcfilter",
			"Idx Device        MCA        SRC    INC    EXC\n", true));
	EXPECT(file_has(
		"/proc/thread-self/net/mcfilter6",
		"Idx Device                Multicast Address                   Source Address    "
		"INC    EXC\n",
		true));
	EXPECT(file_has(
		"/proc/thread-self/net/ip6_flowlabel",
		"Label S Owner  Users  Linger Expires  Dst                              Opt\n",
		true));
	REQUIRE(veth_add("one", "two", -1) == 0);
	EXPECT_EQ(link_set("one", true), 0);
	EXPECT(file_has("/proc/thread-self/net/dev_mcast",
			"one             1     0     333300000001\n", false));
	EXPECT(file_has("/proc/thread-self/net/dev_mcast",
			"one             1     0     01005e000001\n", false));
}
