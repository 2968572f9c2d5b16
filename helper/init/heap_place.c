/* helper/init/heap_place.c - have the heap where it needs no page tables of its own. */
#include "helper/init/heap_place.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * A static position-independent program lies with the mappings, but its brk(2) far from all else
 * (load_elf_binary() in fs/binfmt_elf.c, since 5.3), where one page of heap takes three of page
 * tables. A page that nobody may touch makes brk fail, and both musl and glibc then map their heap,
 * beside the program.
 */
void keep_heap_near(void)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t end = ((uintptr_t)sbrk(0) + page - 1) & ~(page - 1);

	(void)mmap((void *)end, page, PROT_NONE, // NOLINT(performance-no-int-to-ptr)
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
}
