/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mounts of /proc. Each is a superblock of its own, with the name space of process numbers that it was made in and its options: what
 * a file says about numbers is said in those of the mount, whoever reads.
 */
#include <fs/proc/proc.h>
#include <fs/proc/proc_mount.h>

#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/slab.h>

#include <linux/magic.h>

static const struct synthetic_type *root_type;

static const struct {
	const char *name;
	enum proc_hide hide;
} hide_names[] = {
	{ "off", PROC_HIDE_OFF },
	{ "noaccess", PROC_HIDE_NO_ACCESS },
	{ "invisible", PROC_HIDE_INVISIBLE },
	{ "ptraceable", PROC_HIDE_NOT_PTRACEABLE },
};

static int parse_hide(const char *value, enum proc_hide *out)
{
	u64 number;

	if (!parse_u64(value, 0, &number)) {
		for (unsigned i = 0; i < ARRAY_SIZE(hide_names); i++) {
			if (number == hide_names[i].hide) {
				*out = hide_names[i].hide;
				return 0;
			}
		}
		return -EINVAL;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(hide_names); i++) {
		if (strcmp(value, hide_names[i].name) == 0) {
			*out = hide_names[i].hide;
			return 0;
		}
	}
	return -EINVAL;
}

/* -EINVAL: the value is bad; -ENOENT: there is no such option. */
static int parse_option(struct proc_mount *m, const char *name, const char *value)
{
	u64 number;

	if (strcmp(name, "hidepid") == 0)
		return value ? parse_hide(value, &m->hide) : -EINVAL;
	if (strcmp(name, "gid") == 0) {
		if (!value || parse_u64(value, 0, &number) || number >= UINT32_MAX)
			return -EINVAL;
		m->gid = (u32)number;
		return 0;
	}
	if (strcmp(name, "subset") == 0) {
		if (!value || strcmp(value, "pid") != 0)
			return -EINVAL;
		m->only_processes = true;
		return 0;
	}
	return -ENOENT;
}

static int take_option(void *mount, const char *name, const char *value)
{
	return parse_option(mount, name, value) ? -EINVAL : 0;
}

static int check_option(const char *name, const char *value)
{
	struct proc_mount scratch = { 0 };

	return parse_option(&scratch, name, value);
}

static bool in_group(u32 gid)
{
	const struct credentials *mine = current_credentials();

	return mine->fsgid == gid || credentials_in_group(mine, gid);
}

/* Nothing that `least` or more hides is hidden from the current task. */
static bool is_open(const struct proc_mount *m, enum proc_hide least)
{
	enum proc_hide hide = READ_ONCE(m->hide);

	return likely(hide < least) ||
	       (hide != PROC_HIDE_NOT_PTRACEABLE && in_group(READ_ONCE(m->gid)));
}

bool proc_mount_shows(const struct synthetic_node *node, const struct synthetic_node *of)
{
	return is_open(proc_mount_of(node), PROC_HIDE_INVISIBLE) ||
	       proc_node_permission(of, 0) == 0;
}

int proc_mount_permission(const struct synthetic_node *node, u32 mask)
{
	if (is_open(proc_mount_of(node), PROC_HIDE_NO_ACCESS))
		return 0;
	return proc_node_permission(node, mask) ? -EPERM : 0;
}

static void destroy(struct superblock *sb)
{
	struct proc_mount *m = sb->private;

	if (!m)
		return;
	namespace_put(&m->ns->base);
	kfree(m);
}

static int remount(struct superblock *sb, u32 *flags, const char *data)
{
	struct proc_mount *m = sb->private, wanted = *m;
	int err = mount_options_each(data, take_option, &wanted);

	if (err)
		return err;
	WRITE_ONCE(m->hide, wanted.hide);
	WRITE_ONCE(m->gid, wanted.gid);
	WRITE_ONCE(m->only_processes, wanted.only_processes);
	return 0;
}

static size_t show_options(struct superblock *sb, char *buf, size_t size)
{
	const struct proc_mount *m = sb->private;
	int length = 0;

	if (m->gid)
		length += scnprintf(buf, size, ",gid=%u", m->gid);
	for (unsigned i = 1; i < ARRAY_SIZE(hide_names); i++)
		if (m->hide == hide_names[i].hide)
			length += scnprintf(buf + length, size - (size_t)length, ",hidepid=%s",
					    hide_names[i].name);
	if (m->only_processes)
		length += scnprintf(buf + length, size - (size_t)length, ",subset=pid");
	return (size_t)length;
}

static const struct superblock_ops superblock_ops = {
	.statfs = superblock_statfs_simple,
	.remount = remount,
	.show_options = show_options,
	.destroy = destroy,
};

static int create(const struct file_system_type *type, struct pid_namespace *ns,
		  const char *options, struct superblock **out)
{
	struct synthetic_node node = { .type = root_type };
	struct proc_mount *m = kzalloc(sizeof(*m), 0);
	int err = m ? mount_options_each(options, take_option, m) : -ENOMEM;

	if (!err)
		err = synthetic_mount(type, PROC_SUPER_MAGIC, &node, out);
	if (err) {
		kfree(m);
		return err;
	}
	namespace_get(&ns->base);
	m->ns = ns;
	(*out)->private = m;
	(*out)->ops = &superblock_ops;
	return 0;
}

static int mount(const struct file_system_type *type, const char *source, u32 flags,
		 const char *data, struct superblock **out)
{
	return create(type, current_pid_namespace(), data, out);
}

static struct file_system_type proc_type = {
	.name = "proc",
	.user_visible = true,
	.check_option = check_option,
	.mount = mount,
};

int proc_superblock_create(struct pid_namespace *ns, struct superblock **out)
{
	return create(&proc_type, ns, nullptr, out);
}

void proc_mount_init(const struct synthetic_type *root)
{
	root_type = root;
	file_system_register(&proc_type);
}
