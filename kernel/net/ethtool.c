/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SIOCETHTOOL (ethtool(8), libpcap): the driver of a device, its link, its time stamps. */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/ucopy.h>
#include <net/ethtool.h>

#include <linux/ethtool.h>
#include <linux/net_tstamp.h>

/* The largest structure of those that are answered. */
union answer {
	u32 command;
	struct ethtool_drvinfo driver;
	struct ethtool_value value;
	struct ethtool_ts_info stamps;
};

/* Fills in what the command asks for; its size, or -EOPNOTSUPP. Under RCU. */
static int fill(const struct net_device *device, union answer *out)
{
	switch (out->command) {
	case ETHTOOL_GDRVINFO:
		if (!device->ops->driver)
			return -EOPNOTSUPP;
		string_copy(out->driver.driver, device->ops->driver, sizeof(out->driver.driver));
		return sizeof(out->driver);
	case ETHTOOL_GLINK:
		out->value.data = (device->flags & IFF_UP) && (device->flags & IFF_RUNNING);
		return sizeof(out->value);
	case ETHTOOL_GET_TS_INFO:
		out->stamps.so_timestamping =
			SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
		out->stamps.phc_index = -1;
		return sizeof(out->stamps);
	default:
		return -EOPNOTSUPP;
	}
}

long ethtool_ioctl(struct network_namespace *network, struct ifreq __user *user)
{
	union answer answer = {};
	struct net_device *device;
	struct ifreq request;
	void __user *data;
	int size;

	if (copy_from_user(&request, user, sizeof(request)))
		return -EFAULT;
	data = __force_user(void __user *, request.ifr_data);
	if (copy_from_user(&answer.command, data, sizeof(answer.command)))
		return -EFAULT;
	request.ifr_name[IFNAMSIZ - 1] = '\0';
	rcu_read_lock();
	device = net_device_find_name(network, request.ifr_name);
	size = device ? fill(device, &answer) : -ENODEV;
	rcu_read_unlock();
	if (size < 0)
		return size;
	return copy_to_user(data, &answer, (size_t)size) ? -EFAULT : 0;
}
