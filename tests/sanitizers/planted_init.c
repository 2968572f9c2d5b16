/* tests/sanitizers/planted_init.c - a mistake of PID 1, of the kind for the other run time. */
#include "helper/init/room.h"
#include "tests/sanitizers/planted.h"

void __real_room_serve(struct room *room);
void __wrap_room_serve(struct room *room);

void __wrap_room_serve(struct room *room)
{
	char *copy = malloc(sizeof(*room) + 1);

	if (!copy)
		abort();
	memcpy(copy + 1, room, sizeof(*room));
	__real_room_serve((struct room *)(void *)(copy + 1));
	free(copy);
}
