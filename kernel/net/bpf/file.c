/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that stand for programs and maps of BPF. */
#include <lib/errno.h>
#include <lib/format.h>
#include <net/bpf/map.h>
#include <net/bpf/program.h>
#include <obj/file.h>
#include <obj/inode.h>

#include <linux/fcntl.h>

static void program_file_destroy(struct file *file)
{
	bpf_program_put(file->private);
}

static int program_file_describe(struct file *file, const struct pid_namespace *ns, char *buf,
				 size_t size)
{
	const struct bpf_program *p = file->private;

	return scnprintf(buf, size,
			 "prog_type:\t%u\nprog_jited:\t0\nprog_tag:\t%016llx\nmemlock:\t%llu\n"
			 "prog_id:\t%u\nverified_insns:\t%u\n",
			 p->type, (unsigned long long)__builtin_bswap64(p->tag),
			 (unsigned long long)(sizeof(*p) + p->count * sizeof(p->instructions[0])),
			 p->id, p->count);
}

static const struct file_ops program_file_ops = {
	FILE_OPS_DEFAULTS,
	.destroy = program_file_destroy,
	.describe = program_file_describe,
};

static void map_file_destroy(struct file *file)
{
	bpf_map_put(file->private);
}

static int map_file_describe(struct file *file, const struct pid_namespace *ns, char *buf,
			     size_t size)
{
	const struct bpf_map *map = file->private;

	return scnprintf(buf, size,
			 "map_type:\t%u\nkey_size:\t%u\nvalue_size:\t%u\nmax_entries:\t%u\n"
			 "map_flags:\t0x%x\nmap_extra:\t0x0\nmemlock:\t%llu\nmap_id:\t%u\n"
			 "frozen:\t0\n",
			 map->type, map->key_size, map->value_size, map->max_entries, map->flags,
			 (unsigned long long)bpf_map_bytes(map), map->id);
}

static const struct file_ops map_file_ops = {
	FILE_OPS_DEFAULTS,
	.destroy = map_file_destroy,
	.describe = map_file_describe,
};

static int open_anonymous(const char *name, const struct file_ops *ops, u32 flags, void *private,
			  struct file **out)
{
	struct inode *inode;
	int error = inode_create_anonymous(name, 0600, &inode);

	if (error)
		return error;
	error = file_create(ops, flags, FILE_MODE_STREAM, inode, private, out);
	inode_put(inode);
	return error;
}

int bpf_program_open(struct bpf_program *program, struct file **out)
{
	int error = open_anonymous("anon_inode:bpf-prog", &program_file_ops, O_RDWR, program, out);

	if (!error)
		bpf_program_get(program);
	return error;
}

int bpf_map_open(struct bpf_map *map, u32 flags, struct file **out)
{
	int error = open_anonymous("anon_inode:bpf-map", &map_file_ops, flags, map, out);

	if (!error)
		bpf_map_get(map);
	return error;
}

struct bpf_program *bpf_program_of_file(const struct file *file)
{
	return file->ops == &program_file_ops ? file->private : nullptr;
}

struct bpf_map *bpf_map_of_file(const struct file *file)
{
	return file->ops == &map_file_ops ? file->private : nullptr;
}

int bpf_program_of_handle(struct pool *pool, int fd, u32 rights, struct bpf_program **out)
{
	struct file *file;
	int error = file_from_handle(pool, fd, rights, &file);

	if (error)
		return error;
	*out = bpf_program_of_file(file);
	if (*out)
		bpf_program_get(*out);
	else
		error = -EINVAL;
	file_put(file);
	return error;
}

/* That a right is missing counts after what the file is: hence two look-ups. */
int bpf_map_of_handle(struct pool *pool, int fd, u32 rights, struct bpf_map **out)
{
	struct object *again;
	struct file *file;
	int error = file_from_handle(pool, fd, 0, &file);

	if (error)
		return error;
	*out = bpf_map_of_file(file);
	if (!*out) {
		error = -EINVAL;
	} else if (handle_get(pool, fd, &file_type, rights, &again)) {
		error = -EPERM;
	} else {
		if (again == &file->object)
			bpf_map_get(*out);
		else /* it was replaced in between */
			error = -EBADF;
		object_put(again);
	}
	file_put(file);
	return error;
}
