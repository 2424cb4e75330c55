/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Maps the vDSO: frames of the kernel image, the data page directly below the code. */
#include <arch/vdso.h>
#include <core/vdso_data.h>
#include <mm/aspace.h>
#include <mm/frame.h>
#include <proc/vdso.h>

#include <linux/mman.h>

#define VDSO_VMA_FLAGS (VMA_DEVICE | VMA_SPECIAL | VMA_DONTDUMP)

static_assert(VDSO_DATA_SIZE == PAGE_SIZE);

int vdso_map(struct aspace *as)
{
	size_t size;
	const void *image = arch_vdso_image(&size);
	vaddr_t code, data;
	int error;

	if (!image)
		return 0;
	struct map_request request = {
		.length = ALIGN_UP(size, PAGE_SIZE),
		.prot = PROT_READ | PROT_EXEC,
		.flags = MAP_PRIVATE,
		.vma_flags = VDSO_VMA_FLAGS,
		.may = VMA_MAY_READ | VMA_MAY_EXEC,
		.name = "[vdso]",
		.device = virt_to_phys(image),
	};
	error = aspace_map(as, &request, &code);
	if (error)
		return error;
	request = (struct map_request){
		.address = code - VDSO_DATA_SIZE,
		.length = VDSO_DATA_SIZE,
		.prot = PROT_READ,
		.flags = MAP_PRIVATE | MAP_FIXED_NOREPLACE,
		.vma_flags = VDSO_VMA_FLAGS,
		.may = VMA_MAY_READ,
		.name = "[vvar]",
		.device = virt_to_phys(&vdso_data_page),
	};
	error = aspace_map(as, &request, &data);
	if (!error)
		as->vdso = code;
	return error;
}
