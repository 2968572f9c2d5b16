/* tests/memcheck/planted_init.c - what nobody has set, in PID 1 of a container. */
#include <valgrind/memcheck.h>

#include "helper/init/room.h"

/* Put between room_serve and its caller by the linker (ld(1), --wrap). */
void __real_room_serve(struct room *room);
void __wrap_room_serve(struct room *room);

void __wrap_room_serve(struct room *room)
{
	(void)VALGRIND_MAKE_MEM_UNDEFINED(&room->stopping, sizeof(room->stopping));
	__real_room_serve(room);
}
