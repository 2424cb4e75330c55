/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SIOCETHTOOL (ethtool(8), libpcap): the driver of a device, its link, its queues, its counters, its time stamps. */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <net/ethtool.h>
#include <obj/credentials.h>

#include <linux/ethtool.h>
#include <linux/net_tstamp.h>

#define STATISTICS_MAX 1024u

/* The largest structure of those that are asked for and answered. */
union answer {
	u32 command;
	struct ethtool_drvinfo driver;
	struct ethtool_value value;
	struct ethtool_ts_info stamps;
	struct ethtool_channels channels;
	struct ethtool_sset_info set; /* and one word behind it */
};

static_assert(NET_STATISTIC_NAME == ETH_GSTRING_LEN);

/* How many counters the driver has. */
static u32 statistic_count(const struct net_device *device)
{
	char name[NET_STATISTIC_NAME];
	u64 value;
	u32 count = 0;

	while (device->ops->statistic && count < STATISTICS_MAX &&
	       device->ops->statistic(device, count, name, &value))
		count++;
	return count;
}

static int driver_info(const struct net_device *device, union answer *a)
{
	if (!device->ops->driver)
		return -EOPNOTSUPP;
	string_copy(a->driver.driver, device->ops->driver, sizeof(a->driver.driver));
	a->driver.n_stats = statistic_count(device);
	return sizeof(a->driver);
}

/* Of the sets of names only that of the counters is known: its bit stays set, and its size follows. */
static int set_info(const struct net_device *device, union answer *a)
{
	bool asked = a->set.sset_mask & BIT(ETH_SS_STATS);
	u32 count = statistic_count(device);

	a->set.sset_mask = asked && count ? BIT(ETH_SS_STATS) : 0;
	if (!a->set.sset_mask)
		return sizeof(a->set);
	a->set.data[0] = count;
	return sizeof(a->set) + sizeof(u32);
}

static int get_channels(const struct net_device *device, union answer *a)
{
	if (!device->ops->channels)
		return -EOPNOTSUPP;
	a->channels = (struct ethtool_channels){ .cmd = ETHTOOL_GCHANNELS };
	device->ops->channels(device, &a->channels.max_combined, &a->channels.combined_count);
	return sizeof(a->channels);
}

/* Queues only come in pairs; nothing is answered. */
static int set_channels(struct net_device *device, const union answer *a)
{
	u32 maximum, used;

	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	if (!device->ops->channels)
		return -EOPNOTSUPP;
	device->ops->channels(device, &maximum, &used);
	if (a->channels.rx_count || a->channels.tx_count || a->channels.other_count ||
	    !a->channels.combined_count || a->channels.combined_count > maximum)
		return -EINVAL;
	return a->channels.combined_count == used
		       ? 0
		       : device->ops->set_channels(device, a->channels.combined_count);
}

/* Carries out the command in `a`, and leaves there what it answers: its size, or -EOPNOTSUPP. */
static int serve(struct net_device *device, union answer *a)
{
	switch (a->command) {
	case ETHTOOL_GDRVINFO:
		return driver_info(device, a);
	case ETHTOOL_GLINK:
		a->value.data = (device->flags & IFF_UP) && (device->flags & IFF_RUNNING);
		return sizeof(a->value);
	case ETHTOOL_GET_TS_INFO:
		a->stamps =
			(struct ethtool_ts_info){ .cmd = ETHTOOL_GET_TS_INFO,
						  .so_timestamping = SOF_TIMESTAMPING_TX_SOFTWARE |
								     SOF_TIMESTAMPING_RX_SOFTWARE |
								     SOF_TIMESTAMPING_SOFTWARE,
						  .phc_index = -1 };
		return sizeof(a->stamps);
	case ETHTOOL_GSSET_INFO:
		return set_info(device, a);
	case ETHTOOL_GCHANNELS:
		return get_channels(device, a);
	case ETHTOOL_SCHANNELS:
		return set_channels(device, a);
	default:
		return -EOPNOTSUPP;
	}
}

/* Names (ETHTOOL_GSTRINGS) or values (ETHTOOL_GSTATS) of the counters, behind a header of three or two words. */
static int read_statistics(const struct net_device *device, u32 *words, bool names, u32 *size)
{
	u32 count = statistic_count(device), header = names ? 3 : 2;
	char *at = (char *)(words + header);

	if (!count || (names && words[1] != ETH_SS_STATS))
		return -EOPNOTSUPP;
	words[header - 1] = count;
	for (u32 i = 0; i < count; i++) {
		char name[NET_STATISTIC_NAME] = {};
		u64 value = 0;

		(void)device->ops->statistic(device, i, name, &value);
		memcpy(at, names ? (void *)name : &value, names ? sizeof(name) : sizeof(value));
		at += names ? sizeof(name) : sizeof(value);
	}
	*size = (u32)(at - (char *)words);
	return 0;
}

static long answer_statistics(struct network_namespace *network, const char *name, u32 command,
			      void __user *data)
{
	u32 *words = kzalloc(3 * sizeof(u32) + STATISTICS_MAX * NET_STATISTIC_NAME, 0), size = 0;
	const struct net_device *device;
	int error = -ENODEV;

	if (!words)
		return -ENOMEM;
	if (copy_from_user(words, data, (command == ETHTOOL_GSTRINGS ? 3 : 2) * sizeof(u32))) {
		kfree(words);
		return -EFAULT;
	}
	mutex_lock(&network->config);
	device = net_device_find_name(network, name);
	if (device)
		error = read_statistics(device, words, command == ETHTOOL_GSTRINGS, &size);
	mutex_unlock(&network->config);
	if (!error && copy_to_user(data, words, size))
		error = -EFAULT;
	kfree(words);
	return error;
}

long ethtool_ioctl(struct network_namespace *network, struct ifreq __user *user)
{
	union answer answer = {};
	struct net_device *device;
	struct ifreq request;
	void __user *data;
	size_t given = sizeof(answer.command);
	int size;

	if (copy_from_user(&request, user, sizeof(request)))
		return -EFAULT;
	data = __force_user(void __user *, request.ifr_data);
	if (copy_from_user(&answer.command, data, sizeof(answer.command)))
		return -EFAULT;
	request.ifr_name[IFNAMSIZ - 1] = '\0';
	if (answer.command == ETHTOOL_GSTRINGS || answer.command == ETHTOOL_GSTATS)
		return answer_statistics(network, request.ifr_name, answer.command, data);
	if (answer.command == ETHTOOL_SCHANNELS)
		given = sizeof(answer.channels);
	if (answer.command == ETHTOOL_GSSET_INFO)
		given = sizeof(answer.set);
	if (copy_from_user((char *)&answer + sizeof(u32), (char __user *)data + sizeof(u32),
			   given - sizeof(u32)))
		return -EFAULT;
	mutex_lock(&network->config);
	device = net_device_find_name(network, request.ifr_name);
	size = device ? serve(device, &answer) : -ENODEV;
	mutex_unlock(&network->config);
	if (size < 0)
		return size;
	return copy_to_user(data, &answer, (size_t)size) ? -EFAULT : 0;
}
