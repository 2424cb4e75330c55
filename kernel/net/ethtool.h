/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SIOCETHTOOL. */
#pragma once

#include <net/device.h>

/* One command about the device that the request names. -ENODEV, -EOPNOTSUPP, -EFAULT. May sleep. */
long ethtool_ioctl(struct network_namespace *network, struct ifreq __user *user);
