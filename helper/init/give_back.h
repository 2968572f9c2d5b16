/* helper/init/give_back.h - return the memory that only work needed, before waiting again. */
#ifndef CARREL_HELPER_INIT_GIVE_BACK_H
#define CARREL_HELPER_INIT_GIVE_BACK_H

/*
 * The pages of the stack below the caller's frame. A session or a plan takes a dozen of them, which
 * would stay with PID 1 of each of thousands of containers until the next one.
 */
void give_back_stack(void);

#endif
