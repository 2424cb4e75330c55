/* SPDX-License-Identifier: MIT */
/* Wrappers of the calls on silos. */
#include <cairn/number.h>
#include <cairn/silo.h>
#include <sys/syscall.h>
#include <unistd.h>

int cairn_silo_create(unsigned flags)
{
	return (int)syscall(CAIRN_NR_silo_create, flags);
}

int cairn_silo_configure(int silo, unsigned what, __u64 value)
{
	return (int)syscall(CAIRN_NR_silo_configure, silo, what, value);
}

int cairn_silo_mount(int silo, const char *path, int source, unsigned rights)
{
	return (int)syscall(CAIRN_NR_silo_mount, silo, path, source, rights);
}

int cairn_silo_allow_network(int silo, const struct cairn_silo_network_rule *rule)
{
	return (int)syscall(CAIRN_NR_silo_allow_network, silo, rule);
}

int cairn_silo_enter(int silo, const int *keep, unsigned count)
{
	return (int)syscall(CAIRN_NR_silo_enter, silo, keep, count);
}

int cairn_silo_control(int silo, unsigned operation)
{
	return (int)syscall(CAIRN_NR_silo_control, silo, operation);
}

int cairn_silo_inspect(int silo, struct cairn_silo_info *info, size_t size)
{
	return (int)syscall(CAIRN_NR_silo_inspect, silo, info, size);
}

int cairn_silo_event(int silo, struct cairn_silo_event *event, unsigned flags)
{
	return (int)syscall(CAIRN_NR_silo_event, silo, event, flags);
}
