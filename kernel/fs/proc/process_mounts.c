/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/<pid>/mounts, mountinfo and mountstats: the tree of the process's name space, as seen from its root. */
#include <fs/proc/proc_priv.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <proc/inspect.h>
#include <vfs/vfs.h>

#include <linux/limits.h>
#include <linux/mount.h>

#define OPTIONS_MAX 512

struct mount_text {
	struct text_buffer *out;
	struct path root; /* of the process */
	char *where, *shown;
	char options[OPTIONS_MAX];
};

/* Where the mount is, or null: the process does not see it. */
static const char *place(struct mount_text *m, struct mount *mount)
{
	struct path at = mount->parent && mount != m->root.mount
				 ? (struct path){ mount->parent, mount->mountpoint }
				 : (struct path){ mount, mount->root };
	const char *where = path_text(&at, &m->root, m->where, PATH_MAX);

	return where && !string_starts(where, "(unreachable)") ? where : nullptr;
}

static void show_file_system_options(struct mount_text *m, struct mount *mount)
{
	struct superblock *sb = mount->superblock;

	m->options[0] = '\0';
	if (sb->ops->show_options)
		m->options[MIN(sb->ops->show_options(sb, m->options, OPTIONS_MAX - 1),
			       (size_t)OPTIONS_MAX - 1)] = '\0';
	text_printf(m->out, "%s", m->options);
}

static bool show_mount(struct mount *mount, void *arg)
{
	struct mount_text *m = arg;
	struct superblock *sb = mount->superblock;
	const char *where = place(m, mount);

	if (!where)
		return true;
	text_append_escaped(m->out, mount->source, TEXT_SPECIAL_MOUNTS "#");
	text_printf(m->out, " ");
	text_append_escaped(m->out, where, TEXT_SPECIAL_MOUNTS);
	text_printf(m->out, " %s %s", sb->type->name,
		    (mount->flags | sb->flags) & MS_RDONLY ? "ro" : "rw");
	superblock_flags_text(sb, m->options, OPTIONS_MAX);
	text_printf(m->out, "%s", m->options);
	mount_options_text(mount, m->options, OPTIONS_MAX);
	text_printf(m->out, "%s", m->options);
	show_file_system_options(m, mount);
	text_printf(m->out, " 0 0\n");
	return true;
}

static bool show_mount_info(struct mount *mount, void *arg)
{
	struct mount_text *m = arg;
	struct superblock *sb = mount->superblock;
	const char *where = place(m, mount), *shown = mount_root_text(mount, m->shown, PATH_MAX);

	if (!where || !shown)
		return true;
	text_printf(m->out, "%d %d %u:%u ", mount->id,
		    mount->parent ? mount->parent->id : mount->id, device_major(sb->device),
		    device_minor(sb->device));
	text_append_escaped(m->out, shown, TEXT_SPECIAL_MOUNTS);
	text_printf(m->out, " ");
	text_append_escaped(m->out, where, TEXT_SPECIAL_MOUNTS);
	mount_options_text(mount, m->options, OPTIONS_MAX);
	text_printf(m->out, " %s%s", mount->flags & MS_RDONLY ? "ro" : "rw", m->options);
	mount_propagation_text(mount, &m->root, m->options, OPTIONS_MAX);
	text_printf(m->out, "%s - %s ", m->options, sb->type->name);
	text_append_escaped(m->out, mount->source, TEXT_SPECIAL_MOUNTS "#");
	superblock_flags_text(sb, m->options, OPTIONS_MAX);
	text_printf(m->out, " %s%s", sb->flags & MS_RDONLY ? "ro" : "rw", m->options);
	show_file_system_options(m, mount);
	text_printf(m->out, "\n");
	return true;
}

static bool show_mount_device(struct mount *mount, void *arg)
{
	struct mount_text *m = arg;
	const char *where = place(m, mount);

	if (!where)
		return true;
	text_printf(m->out, "device ");
	text_append_escaped(m->out, mount->source, TEXT_SPECIAL_MOUNTS "#");
	text_printf(m->out, " mounted on ");
	text_append_escaped(m->out, where, TEXT_SPECIAL_MOUNTS);
	text_printf(m->out, " with fstype %s\n", mount->superblock->type->name);
	return true;
}

static void show_mounts(struct task *task, struct text_buffer *out,
			bool (*show)(struct mount *, void *))
{
	struct fs_context *fs = task_fs_get(task);
	struct mount_text *m;

	if (!fs)
		return;
	m = kzalloc(sizeof(*m), 0);
	if (m) {
		m->out = out;
		m->where = kmalloc(PATH_MAX, 0);
		m->shown = kmalloc(PATH_MAX, 0);
		fs_context_paths(fs, &m->root, nullptr);
	}
	if (m && m->where && m->shown)
		mount_for_each(&m->root, show, m);
	else
		out->failed = true;
	if (m) {
		path_put(&m->root);
		kfree(m->where);
		kfree(m->shown);
		kfree(m);
	}
	fs_context_put(fs);
}

static void mounts_show(struct task *task, const struct synthetic_node *node,
			struct text_buffer *out)
{
	show_mounts(task, out, show_mount);
}

static void mountinfo_show(struct task *task, const struct synthetic_node *node,
			   struct text_buffer *out)
{
	show_mounts(task, out, show_mount_info);
}

static void mountstats_show(struct task *task, const struct synthetic_node *node,
			    struct text_buffer *out)
{
	show_mounts(task, out, show_mount_device);
}

const struct proc_text proc_mounts_text = { mounts_show }, proc_mountinfo_text = { mountinfo_show },
		       proc_mountstats_text = { mountstats_show };
