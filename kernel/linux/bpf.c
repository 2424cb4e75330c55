/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bpf(2): programs for sockets, and their maps. Commands and types that are not here answer as on a kernel built without them. */
#include <arch/layout.h>
#include <core/time.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <linux/descriptor.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <net/bpf/log.h>
#include <net/bpf/map.h>
#include <net/bpf/program.h>
#include <net/bpf/test_run.h>
#include <obj/credentials.h>

#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/if_ether.h>
#include <syscall_prototypes.h>

#define LICENCE_SIZE 128
#define LOG_SIZE_MIN 128u
#define LOG_LEVELS 7u

/* Is the command no longer than the member `last`? */
#define ENDS_WITH(attr, last)                                                                      \
	is_zero((const u8 *)(attr) + offsetof(union bpf_attr, last) + sizeof((attr)->last),        \
		sizeof(*(attr)) - offsetof(union bpf_attr, last) - sizeof((attr)->last))

static bool is_zero(const u8 *bytes, size_t count)
{
	u8 any = 0;

	while (count)
		any |= bytes[--count];
	return !any;
}

static void __user *user_pointer(u64 address)
{
	return __force_user(void __user *, address);
}

/* A structure of which user space says the size. -E2BIG: it knows more than this kernel, or cannot mean it; -EFAULT. */
static int take_struct(void *to, size_t size, u64 address, u32 given)
{
	return given > PAGE_SIZE ? -E2BIG
				 : copy_struct_from_user(to, size, user_pointer(address), given);
}

/* Letters, digits, '_' and '.', and a terminator. */
static bool name_is_valid(const char name[BPF_OBJ_NAME_LEN])
{
	size_t length = strnlen(name, BPF_OBJ_NAME_LEN);

	for (size_t i = 0; i < length; i++) {
		char c = name[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    c != '_' && c != '.')
			return false;
	}
	return length < BPF_OBJ_NAME_LEN &&
	       is_zero((const u8 *)name + length, BPF_OBJ_NAME_LEN - length);
}

static struct memory_budget *current_budget(void)
{
	return current_process()->charge.budget;
}

/* --- Maps --- */

static long create_map(const union bpf_attr *attr)
{
	struct bpf_map_definition definition = { attr->map_type,   attr->key_size,
						 attr->value_size, attr->max_entries,
						 attr->map_flags,  {} };
	u32 access = O_RDWR;
	struct bpf_map *map;
	struct file *file;
	int error;

	if (attr->inner_map_fd || attr->numa_node || !ENDS_WITH(attr, map_name) ||
	    !name_is_valid(attr->map_name))
		return -EINVAL;
	memcpy(definition.name, attr->map_name, sizeof(definition.name));
	error = bpf_map_create(&definition, current_budget(), &map);
	if (error)
		return error;
	if (attr->map_flags & BPF_F_RDONLY)
		access = O_RDONLY;
	else if (attr->map_flags & BPF_F_WRONLY)
		access = O_WRONLY;
	error = bpf_map_open(map, access, &file);
	bpf_map_put(map);
	return error ? error : descriptor_install(file, true);
}

/* A key or value of user space in memory of kvmalloc. -EFAULT, -ENOMEM. */
static int take(u64 address, size_t size, void **out)
{
	void *copy = kvmalloc(size, 0);

	if (!copy)
		return -ENOMEM;
	if (copy_from_user(copy, user_pointer(address), size)) {
		kvfree(copy);
		return -EFAULT;
	}
	*out = copy;
	return 0;
}

static int lookup_element(struct bpf_map *map, const union bpf_attr *attr, const void *key)
{
	u32 size = bpf_map_user_size(map);
	void *value = kvmalloc(size, 0);
	int error;

	if (!value)
		return -ENOMEM;
	error = bpf_map_read(map, key, value);
	if (!error)
		error = copy_to_user(user_pointer(attr->value), value, size);
	kvfree(value);
	return error;
}

static int update_element(struct bpf_map *map, const union bpf_attr *attr, const void *key)
{
	void *value;
	int error = take(attr->value, bpf_map_user_size(map), &value);

	if (error)
		return error;
	error = bpf_map_write(map, key, value, attr->flags);
	kvfree(value);
	return error;
}

static int delete_element(struct bpf_map *map, const union bpf_attr *attr, const void *key)
{
	int error;

	rcu_read_lock();
	error = map->ops->remove(map, key);
	rcu_read_unlock();
	return error;
}

/* `key` null: the first. */
static int next_element(struct bpf_map *map, const union bpf_attr *attr, const void *key)
{
	u8 next[BPF_KEY_MAX];
	int error;

	rcu_read_lock();
	error = map->ops->next_key(map, key, next);
	rcu_read_unlock();
	return error ? error : copy_to_user(user_pointer(attr->next_key), next, map->key_size);
}

static long on_element(const union bpf_attr *attr, u32 rights, bool needs_key,
		       int (*act)(struct bpf_map *map, const union bpf_attr *attr, const void *key))
{
	struct bpf_map *map;
	void *key = nullptr;
	int error = bpf_map_of_handle(current_pool(), (int)attr->map_fd, rights, &map);

	if (error)
		return error;
	if (attr->key || needs_key)
		error = take(attr->key, map->key_size, &key);
	if (!error)
		error = act(map, attr, key);
	kvfree(key);
	bpf_map_put(map);
	return error;
}

/* --- Programs --- */

static bool licence_is_gpl(const char *licence)
{
	static const char *const known[] = {
		"GPL",		"GPL v2",	"GPL and additional rights",
		"Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL"
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(licence, known[i]))
			return true;
	return false;
}

/* What the log says goes to user space: -ENOSPC: a part of it; -EFAULT. */
static int give_log(const union bpf_attr *attr, const struct bpf_log *log)
{
	u32 room = attr->log_size - 1, length = MIN(log->length, room);
	char __user *to = user_pointer(attr->log_buf);

	if (copy_to_user(to, log->text, length) || clear_user(to + length, 1))
		return -EFAULT;
	return length < log->length ? -ENOSPC : 0;
}

static int verify(const union bpf_attr *attr, struct bpf_program *program)
{
	struct bpf_log *log = nullptr;
	int error, told = 0;

	if (attr->log_level || attr->log_size || attr->log_buf) {
		if (!attr->log_level || (attr->log_level & ~LOG_LEVELS) || !attr->log_buf ||
		    attr->log_size < LOG_SIZE_MIN)
			return -EINVAL;
		log = kzalloc(sizeof(*log), 0);
		if (!log)
			return -ENOMEM;
	}
	error = bpf_program_find_maps(program, current_pool());
	if (!error)
		error = bpf_program_verify(program, log);
	if (log)
		told = give_log(attr, log);
	kfree(log);
	return told ? told : error;
}

static int fill_program(const union bpf_attr *attr, struct bpf_program *program)
{
	char licence[LICENCE_SIZE] = {};
	ssize_t length =
		copy_string_from_user(licence, user_pointer(attr->license), sizeof(licence));

	if (length < 0 && length != -ENAMETOOLONG)
		return -EFAULT;
	licence[LICENCE_SIZE - 1] = 0;
	program->type = attr->prog_type;
	program->uid = current_credentials()->uid;
	program->time_ns = clock_monotonic_ns();
	program->gpl = licence_is_gpl(licence);
	memcpy(program->name, attr->prog_name, sizeof(program->name));
	return copy_from_user(program->instructions, user_pointer(attr->insns),
			      program->count * sizeof(struct bpf_insn));
}

static long load_program(const union bpf_attr *attr)
{
	struct bpf_program *program;
	struct file *file;
	int error;

	if (attr->prog_type != BPF_PROG_TYPE_SOCKET_FILTER ||
	    (attr->prog_flags & ~BPF_F_ANY_ALIGNMENT) || attr->prog_ifindex ||
	    !ENDS_WITH(attr, expected_attach_type) || !name_is_valid(attr->prog_name))
		return -EINVAL;
	if (!attr->insn_cnt || attr->insn_cnt > BPF_MAXINSNS)
		return -E2BIG;
	error = bpf_program_create(current_budget(), attr->insn_cnt, &program);
	if (error)
		return error;
	error = fill_program(attr, program);
	if (!error)
		error = verify(attr, program);
	if (!error)
		error = bpf_program_open(program, &file);
	bpf_program_put(program);
	return error ? error : descriptor_install(file, true);
}

/* struct __sk_buff of user space, of which a program's test takes a part. -E2BIG, -EINVAL, -EFAULT. */
static int take_context(const union bpf_attr *attr, struct __sk_buff *out)
{
	struct __sk_buff given, rest;
	int error;

	if (!attr->test.ctx_in != !attr->test.ctx_size_in)
		return -EINVAL;
	if (!attr->test.ctx_in)
		return 0;
	error = take_struct(&given, sizeof(given), attr->test.ctx_in, attr->test.ctx_size_in);
	if (error)
		return error;
	rest = given;
	rest.mark = rest.priority = 0;
	memset(rest.cb, 0, sizeof(rest.cb));
	*out = given;
	return is_zero((const u8 *)&rest, sizeof(rest)) ? 0 : -EINVAL;
}

static int give_part(u64 address, u32 room, const void *from, u32 size)
{
	if (address && copy_to_user(user_pointer(address), from, room ? MIN(room, size) : size))
		return -EFAULT;
	return address && room && room < size ? -ENOSPC : 0;
}

/* The frame comes back without its link header, which a socket's program does not have, and with what the program left in cb. */
static int give_results(const union bpf_attr *attr, union bpf_attr __user *user, u8 *frame,
			const struct bpf_test *test)
{
	int error, second;

	memset(frame, 0, ETH_HLEN);
	error = give_part(attr->test.data_out, attr->test.data_size_out, frame, test->size);
	second = give_part(attr->test.ctx_out, attr->test.ctx_size_out, &test->context,
			   sizeof(test->context));
	if (error == -EFAULT || second == -EFAULT ||
	    put_user(test->size, &user->test.data_size_out) ||
	    put_user(test->result, &user->test.retval) ||
	    put_user(test->duration_ns, &user->test.duration))
		return -EFAULT;
	if (attr->test.ctx_out && put_user((u32)sizeof(test->context), &user->test.ctx_size_out))
		return -EFAULT;
	return error ? error : second;
}

static int test_program(const union bpf_attr *attr, union bpf_attr __user *user,
			const struct bpf_program *program)
{
	struct bpf_test test = { .size = attr->test.data_size_in,
				 .repeat = MAX(attr->test.repeat, 1u) };
	void *frame;
	int error = take_context(attr, &test.context);

	if (error)
		return error;
	if (test.size > BPF_TEST_SIZE_MAX)
		return -EINVAL;
	error = take(attr->test.data_in, test.size, &frame);
	if (error)
		return error;
	test.data = frame;
	error = bpf_program_test(program, &test);
	if (!error)
		error = give_results(attr, user, frame, &test);
	kvfree(frame);
	return error;
}

static long run_program(const union bpf_attr *attr, union bpf_attr __user *user)
{
	struct bpf_program *program;
	int error;

	if (!ENDS_WITH(attr, test.batch_size) || attr->test.flags || attr->test.cpu ||
	    attr->test.batch_size)
		return -EINVAL;
	error = bpf_program_of_handle(current_pool(), (int)attr->test.prog_fd, RIGHT_EXECUTE,
				      &program);
	if (error)
		return error;
	error = test_program(attr, user, program);
	bpf_program_put(program);
	return error;
}

/* --- What there is to know --- */

static int program_info(const struct bpf_program *program, struct bpf_prog_info *info)
{
	u32 __user *ids = user_pointer(info->map_ids);
	u32 room = info->nr_map_ids;

	*info = (struct bpf_prog_info){
		.type = program->type,
		.id = program->id,
		.load_time = program->time_ns,
		.created_by_uid = program->uid,
		.nr_map_ids = program->map_count,
		.map_ids = info->map_ids,
		.gpl_compatible = program->gpl,
		.verified_insns = program->count,
	};
	memcpy(info->tag, &program->tag, sizeof(info->tag));
	memcpy(info->name, program->name, sizeof(info->name));
	for (u32 n = 0; n < MIN(room, program->map_count); n++)
		if (put_user(program->maps[n]->id, &ids[n]))
			return -EFAULT;
	return 0;
}

static void map_info(const struct bpf_map *map, struct bpf_map_info *info)
{
	*info = (struct bpf_map_info){
		.type = map->type,
		.id = map->id,
		.key_size = map->key_size,
		.value_size = map->value_size,
		.max_entries = map->max_entries,
		.map_flags = map->flags,
	};
	memcpy(info->name, map->name, sizeof(info->name));
}

static int give_info(const struct file *file, const union bpf_attr *attr,
		     union bpf_attr __user *user)
{
	union {
		struct bpf_prog_info program;
		struct bpf_map_info map;
	} info = {};
	const struct bpf_program *program = bpf_program_of_file(file);
	const struct bpf_map *map = bpf_map_of_file(file);
	u32 size = program ? sizeof(info.program) : sizeof(info.map);
	int error;

	if (!program && !map)
		return -EINVAL;
	error = take_struct(&info, size, attr->info.info, attr->info.info_len);
	if (error)
		return error;
	if (program)
		error = program_info(program, &info.program);
	else
		map_info(map, &info.map);
	size = MIN(size, attr->info.info_len);
	if (error || copy_to_user(user_pointer(attr->info.info), &info, size) ||
	    put_user(size, &user->info.info_len))
		return -EFAULT;
	return 0;
}

static long object_info(const union bpf_attr *attr, union bpf_attr __user *user)
{
	struct file *file;
	int error;

	if (!ENDS_WITH(attr, info.info))
		return -EINVAL;
	error = file_from_handle(current_pool(), (int)attr->info.bpf_fd, 0, &file);
	if (error)
		return error;
	error = give_info(file, attr, user);
	file_put(file);
	return error;
}

long sys_bpf(int command, void __user *attr, unsigned size)
{
	bool creates = command == BPF_MAP_CREATE || command == BPF_PROG_LOAD;
	union bpf_attr a;
	int error;

	if (creates && !capable(CAP_BPF) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	error = take_struct(&a, sizeof(a), (uintptr_t)attr, size);
	if (error)
		return error;
	switch (command) {
	case BPF_MAP_CREATE:
		return create_map(&a);
	case BPF_MAP_LOOKUP_ELEM:
		return !ENDS_WITH(&a, flags) || a.flags
			       ? -EINVAL
			       : on_element(&a, RIGHT_READ, true, lookup_element);
	case BPF_MAP_UPDATE_ELEM:
		return !ENDS_WITH(&a, flags) ? -EINVAL
					     : on_element(&a, RIGHT_WRITE, true, update_element);
	case BPF_MAP_DELETE_ELEM:
		return !ENDS_WITH(&a, key) ? -EINVAL
					   : on_element(&a, RIGHT_WRITE, true, delete_element);
	case BPF_MAP_GET_NEXT_KEY:
		return !ENDS_WITH(&a, next_key) ? -EINVAL
						: on_element(&a, RIGHT_READ, false, next_element);
	case BPF_PROG_LOAD:
		return load_program(&a);
	case BPF_PROG_TEST_RUN:
		return run_program(&a, attr);
	case BPF_OBJ_GET_INFO_BY_FD:
		return object_info(&a, attr);
	default:
		return -EINVAL;
	}
}
