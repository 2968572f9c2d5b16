/* pam_module/inside.h - in what position is the process that PAM loaded this module into? */
#ifndef CARREL_PAM_MODULE_INSIDE_H
#define CARREL_PAM_MODULE_INSIDE_H

#include <stdbool.h>

/* True inside a container: the mark is there and nobody but root can have put it there. */
bool inside_container(void);

enum caller {
	CALLER_ROOT, /* may be moved into a container */
	CALLER_USER, /* is one user already and can become nobody else, like a screen locker */
	CALLER_ODD,  /* could become another user, but is not root now: cannot be moved */
};

enum caller caller_kind(void);

#endif
