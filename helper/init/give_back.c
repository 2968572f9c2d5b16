/* helper/init/give_back.c - return the memory that only work needed, before waiting again. */
#include "helper/init/give_back.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define DEEPEST (256u * 1024)

void give_back_stack(void)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	/* One page stays for this function itself, and for what the ABI keeps below its frame. */
	uintptr_t end = ((uintptr_t)__builtin_frame_address(0) & ~(page - 1)) - page;

	/* ENOMEM: the stack was never that deep, and what there is of it is given back all the
	 * same (madvise(2)). */
	(void)madvise((void *)(end - DEEPEST), DEEPEST,
		      MADV_DONTNEED); // NOLINT(performance-no-int-to-ptr)
}
