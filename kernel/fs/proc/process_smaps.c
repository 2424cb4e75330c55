/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/<pid>/smaps, smaps_rollup, numa_maps, map_files, clear_refs: how much of each mapping is in memory. */
#include <fs/proc/proc_priv.h>

#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <mm/residency.h>
#include <mm/slab.h>
#include <proc/inspect.h>

#include <linux/limits.h>

#define KIB_PER_PAGE (PAGE_SIZE / 1024)

/* What has been found of one mapping or, for the roll-up, of all. */
struct usage {
	struct mapping_residency r;
	u64 locked;			   /* pages */
	u64 pss_anon, pss_file, pss_shmem; /* bytes */
};

static u64 resident(const struct mapping_residency *r)
{
	return r->private_clean + r->private_dirty + r->shared_clean + r->shared_dirty;
}

static u64 proportional_bytes(const struct mapping_residency *r)
{
	return (r->private_clean + r->private_dirty) * PAGE_SIZE + r->proportional_shared_bytes;
}

static void add_usage(struct usage *u, const struct aspace *as, const struct vma *vma)
{
	struct mapping_residency r;
	u64 bytes;

	aspace_mapping_residency(as, vma, &r);
	bytes = proportional_bytes(&r);
	u->r.private_clean += r.private_clean;
	u->r.private_dirty += r.private_dirty;
	u->r.shared_clean += r.shared_clean;
	u->r.shared_dirty += r.shared_dirty;
	u->r.referenced += r.referenced;
	u->r.anonymous += r.anonymous;
	u->r.proportional_shared_bytes += r.proportional_shared_bytes;
	u->locked += vma->flags & VMA_LOCKED ? resident(&r) : 0;
	if (!vma->object)
		u->pss_anon += bytes;
	else if (vma->file)
		u->pss_file += bytes;
	else
		u->pss_shmem += bytes;
}

static void show_usage(struct text_buffer *out, const struct usage *u, bool rollup)
{
	const struct mapping_residency *r = &u->r;

	text_kib_line(out, "Rss", resident(r) * KIB_PER_PAGE);
	text_kib_line(out, "Pss", proportional_bytes(r) / 1024);
	text_kib_line(out, "Pss_Dirty", r->private_dirty * KIB_PER_PAGE);
	if (rollup) {
		text_kib_line(out, "Pss_Anon", u->pss_anon / 1024);
		text_kib_line(out, "Pss_File", u->pss_file / 1024);
		text_kib_line(out, "Pss_Shmem", u->pss_shmem / 1024);
	}
	text_kib_line(out, "Shared_Clean", r->shared_clean * KIB_PER_PAGE);
	text_kib_line(out, "Shared_Dirty", r->shared_dirty * KIB_PER_PAGE);
	text_kib_line(out, "Private_Clean", r->private_clean * KIB_PER_PAGE);
	text_kib_line(out, "Private_Dirty", r->private_dirty * KIB_PER_PAGE);
	text_kib_line(out, "Referenced", r->referenced * KIB_PER_PAGE);
	text_kib_line(out, "Anonymous", r->anonymous * KIB_PER_PAGE);
	text_kib_line(out, "LazyFree", 0);
	text_kib_line(out, "AnonHugePages", 0);
	text_kib_line(out, "ShmemPmdMapped", 0);
	text_kib_line(out, "FilePmdMapped", 0);
	text_kib_line(out, "Shared_Hugetlb", 0);
	text_kib_line(out, "Private_Hugetlb", 0);
	text_kib_line(out, "Swap", 0);
	text_kib_line(out, "SwapPss", 0);
	text_kib_line(out, "Locked", u->locked * KIB_PER_PAGE);
}

static void smaps_show(struct aspace *as, struct text_buffer *out)
{
	char *path_buf = kmalloc(PATH_MAX, 0);

	if (!path_buf) {
		out->failed = true;
		return;
	}
	for (vaddr_t at = 0;;) {
		struct usage u = {};

		/* A mapping at a time: the text is long, and who maps meanwhile does not wait for it. */
		read_lock(&as->lock);
		struct vma *vma = aspace_find(as, at);
		if (!vma) {
			read_unlock(&as->lock);
			break;
		}
		at = vma->end;
		add_usage(&u, as, vma);
		proc_show_mapping(out, as, vma, path_buf);
		text_kib_line(out, "Size", (vma->end - vma->start) / 1024);
		text_kib_line(out, "KernelPageSize", KIB_PER_PAGE);
		text_kib_line(out, "MMUPageSize", KIB_PER_PAGE);
		show_usage(out, &u, false);
		text_printf(out, "THPeligible:    0\nVmFlags:%s%s%s%s%s%s%s%s \n",
			    vma->flags & VMA_READ ? " rd" : "", vma->flags & VMA_WRITE ? " wr" : "",
			    vma->flags & VMA_EXEC ? " ex" : "",
			    vma->flags & VMA_SHARED ? " sh" : "",
			    vma->flags & VMA_MAY_READ ? " mr" : "",
			    vma->flags & VMA_MAY_WRITE ? " mw" : "",
			    vma->flags & VMA_MAY_EXEC ? " me" : "",
			    vma->flags & VMA_LOCKED ? " lo" : "");
		read_unlock(&as->lock);
	}
	kfree(path_buf);
}

static void smaps_rollup_show(struct aspace *as, struct text_buffer *out)
{
	struct usage u = {};
	vaddr_t first = 0, last = 0;

	read_lock(&as->lock);
	for (struct vma *vma = aspace_find(as, 0); vma; vma = vma_next(vma)) {
		first = last ? first : vma->start;
		last = vma->end;
		add_usage(&u, as, vma);
	}
	read_unlock(&as->lock);
	size_t line_start = out->size;

	text_printf(out, "%08lx-%08lx ---p 00000000 00:00 0 ", first, last);
	text_pad(out, line_start, LABEL_COLUMN);
	text_printf(out, "[rollup]\n");
	show_usage(out, &u, true);
}

static void numa_maps_show(struct aspace *as, struct text_buffer *out)
{
	char *path_buf = kmalloc(PATH_MAX, 0);

	if (!path_buf) {
		out->failed = true;
		return;
	}
	read_lock(&as->lock);
	for (struct vma *vma = aspace_find(as, 0); vma; vma = vma_next(vma)) {
		struct usage u = {};
		u64 dirty, pages;

		add_usage(&u, as, vma);
		pages = resident(&u.r);
		dirty = u.r.private_dirty + u.r.shared_dirty;
		text_printf(out, "%08lx default", vma->start);
		if (vma->file && vma->file->dentry) {
			struct path path = { vma->file->mount, vma->file->dentry };
			const char *text = path_text(&path, nullptr, path_buf, PATH_MAX);

			text_printf(out, " file=");
			text_append_escaped(out, text ? text : "", " \t\n=");
		} else if (vma->flags & VMA_STACK) {
			text_printf(out, " stack");
		}
		if (u.r.anonymous)
			text_printf(out, " anon=%llu", (unsigned long long)u.r.anonymous);
		if (dirty)
			text_printf(out, " dirty=%llu", (unsigned long long)dirty);
		if (!u.r.anonymous && pages && pages != dirty)
			text_printf(out, " mapped=%llu", (unsigned long long)pages);
		if (pages)
			text_printf(out, " N0=%llu kernelpagesize_kB=%u", (unsigned long long)pages,
				    (unsigned)KIB_PER_PAGE);
		text_printf(out, "\n");
	}
	read_unlock(&as->lock);
	kfree(path_buf);
}

const struct proc_memory_text proc_smaps_text = { smaps_show },
			      proc_smaps_rollup_text = { smaps_rollup_show },
			      proc_numa_maps_text = { numa_maps_show };

/* map_files: a link for each mapping of a file, named for its addresses; KEY_EXTRA is its start. */

/* The first mapping of a file at or behind an address: its limits and, unless null, its path with references. */
static int find_file_mapping(const struct synthetic_node *node, vaddr_t from, vaddr_t *start,
			     vaddr_t *end, struct path *path)
{
	struct process *process;
	struct aspace *as;
	int err = proc_node_process(node, &process);

	if (err)
		return err;
	as = process_aspace_get(process);
	process_put(process);
	if (!as)
		return -ENOENT;
	err = -ENOENT;
	read_lock(&as->lock);
	for (struct vma *vma = aspace_find(as, from); vma; vma = vma_next(vma)) {
		if (vma->start < from || !vma->file)
			continue;
		*start = vma->start;
		*end = vma->end;
		err = path ? file_path(vma->file, path) : 0;
		break;
	}
	read_unlock(&as->lock);
	process_aspace_put(as);
	return err;
}

static int map_file_read_link(const struct synthetic_node *node, char **text, struct path *path)
{
	vaddr_t start, end;
	int err = proc_node_permission(node, 0);

	if (!err)
		err = find_file_mapping(node, node->key[KEY_EXTRA], &start, &end, path);
	if (!err && start != node->key[KEY_EXTRA]) {
		path_put(path);
		err = -ENOENT;
	}
	return err;
}

static bool map_file_valid(const struct synthetic_node *node)
{
	vaddr_t start, end;

	return !find_file_mapping(node, node->key[KEY_EXTRA], &start, &end, nullptr) &&
	       start == node->key[KEY_EXTRA];
}

static const struct synthetic_type map_file = { .mode = S_IFLNK | 0400,
						.read_link = map_file_read_link,
						.valid = map_file_valid,
						.attributes = proc_node_attributes };

static void map_file_node(const struct synthetic_node *dir, vaddr_t start,
			  struct synthetic_node *out)
{
	*out = *dir;
	out->type = &map_file;
	out->key[KEY_EXTRA] = start;
}

static int map_files_lookup(const struct synthetic_node *dir, const char *name,
			    struct synthetic_node *out)
{
	char text[NAME_MAX + 1];
	vaddr_t start, end;
	char *dash;
	u64 from;

	(void)string_copy(text, name, sizeof(text));
	dash = strchr(text, '-');
	if (!dash)
		return -ENOENT;
	*dash = '\0';
	if (parse_u64(text, 16, &from) || find_file_mapping(dir, from, &start, &end, nullptr))
		return -ENOENT;
	(void)snprintf(text, sizeof(text), "%lx-%lx", start, end);
	if (start != from || strcmp(text, name) != 0)
		return -ENOENT;
	map_file_node(dir, start, out);
	return 0;
}

static bool map_files_next(const struct synthetic_node *dir, u64 *cursor, char *name,
			   struct synthetic_node *out)
{
	vaddr_t start, end;

	/* Cursors are page numbers, so that they stay small. */
	if (find_file_mapping(dir, *cursor * PAGE_SIZE, &start, &end, nullptr))
		return false;
	*cursor = end / PAGE_SIZE;
	(void)snprintf(name, NAME_MAX + 1, "%lx-%lx", start, end);
	map_file_node(dir, start, out);
	return true;
}

const struct synthetic_type proc_map_files_directory = {
	.mode = S_IFDIR | 0500,
	.lookup = map_files_lookup,
	.next = map_files_next,
	.valid = proc_node_valid,
	.attributes = proc_node_attributes,
	.permission = proc_node_permission,
};

/*
 * clear_refs (proc(5)): 1 to 3 forget which pages were used, 5 begins the peak of the resident set anew. 4, soft-dirty
 * bits, is for kernels that have them.
 */
static int clear_refs_store(const struct synthetic_node *node, char *text, size_t size)
{
	struct process *process;
	struct aspace *as;
	s64 what;
	int err = synthetic_parse_number(text, 1, 5, &what);

	if (!err && what == 4)
		err = -EINVAL;
	if (!err)
		err = proc_node_process(node, &process);
	if (err)
		return err;
	as = process_aspace_get(process);
	process_put(process);
	if (!as)
		return 0;
	if (what == 5) {
		write_guard(&as->lock);
		as->resident_peak = 0;
	} else {
		aspace_clear_referenced(as, what != 3, what != 2);
	}
	process_aspace_put(as);
	return 0;
}

const struct synthetic_type proc_clear_refs = { .mode = S_IFREG | 0200,
						.store = clear_refs_store,
						.valid = proc_node_valid,
						.attributes = proc_node_attributes };
