/* helper/init/heap_place.h - have the heap where it needs no page tables of its own. */
#ifndef CARREL_HELPER_INIT_HEAP_PLACE_H
#define CARREL_HELPER_INIT_HEAP_PLACE_H

/* Before the first allocation. What cannot be done is left as it was: nothing but memory depends on
 * it. */
void keep_heap_near(void);

#endif
