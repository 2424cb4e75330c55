/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network devices in /sys: links to them in class/net, their directories in devices/virtual/net. */
#pragma once

#include <fs/synthetic/synthetic.h>

extern const struct synthetic_type sys_net_class, sys_net_devices;
