/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/<pid>: identities. There is one user name space, the initial one, so its maps are the identity; there is no
 * audit system, and no security module gives attributes.
 */
#include <fs/proc/proc_priv.h>

#include <lib/errno.h>

static void map_show(struct task *task, const struct synthetic_node *node, struct text_buffer *out)
{
	text_printf(out, "%10u %10u %10u\n", 0, 0, UINT32_MAX);
}

static void setgroups_show(struct task *task, const struct synthetic_node *node,
			   struct text_buffer *out)
{
	text_printf(out, "allow\n");
}

/* Of sessionid: "not set". */
static void unset_show(struct task *task, const struct synthetic_node *node,
		       struct text_buffer *out)
{
	text_printf(out, "%u", UINT32_MAX);
}

static void cpuset_show(struct task *task, const struct synthetic_node *node,
			struct text_buffer *out)
{
	text_printf(out, "/\n");
}

/* No live patch is on its way. */
static void patch_state_show(struct task *task, const struct synthetic_node *node,
			     struct text_buffer *out)
{
	text_printf(out, "-1\n");
}

static void nothing_show(struct task *task, const struct synthetic_node *node,
			 struct text_buffer *out)
{
}

const struct proc_text proc_id_map_text = { map_show }, proc_setgroups_text = { setgroups_show },
		       proc_unset_text = { unset_show }, proc_cpuset_text = { cpuset_show },
		       proc_patch_state_text = { patch_state_show },
		       proc_nothing_text = { nothing_show };

static int attribute_show(const struct synthetic_node *node, struct text_buffer *out)
{
	return -EINVAL;
}

static int attribute_store(const struct synthetic_node *node, char *text, size_t size)
{
	return -EINVAL;
}

static const struct synthetic_type attribute = { .mode = S_IFREG | 0666,
						 .show = attribute_show,
						 .store = attribute_store,
						 .valid = proc_node_valid,
						 .attributes = proc_node_attributes };
static const struct synthetic_type attribute_ro = { .mode = S_IFREG | 0444,
						    .show = attribute_show,
						    .valid = proc_node_valid,
						    .attributes = proc_node_attributes };

static const struct synthetic_named attribute_names[] = {
	{ "current", &attribute, nullptr },  { "exec", &attribute, nullptr },
	{ "fscreate", &attribute, nullptr }, { "keycreate", &attribute, nullptr },
	{ "prev", &attribute_ro, nullptr },  { "sockcreate", &attribute, nullptr },
};
const struct synthetic_table proc_attribute_table = SYNTHETIC_TABLE(attribute_names);

const struct synthetic_type proc_attribute_directory = {
	.mode = S_IFDIR | 0555,
	.lookup = synthetic_table_lookup,
	.next = synthetic_table_next,
	.valid = proc_node_valid,
	.attributes = proc_node_attributes,
};
