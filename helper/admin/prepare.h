/* helper/admin/prepare.h - have the containers of users made ready, several at a time. */
#ifndef CARREL_HELPER_ADMIN_PREPARE_H
#define CARREL_HELPER_ADMIN_PREPARE_H

#include "helper/admin/select.h"

#define JOBS_MAX 64

struct prepared {
	enum { PREPARED_NOT, PREPARED_FAILED, PREPARED_RUNNING, PREPARED_STARTED } how;
	char text[512]; /* why it failed */
};

/* Called when one is done; `done` counts them. */
typedef void prepare_tell(const struct person *person, const struct prepared *prepared, size_t done,
			  void *data);

/*
 * Have carrel-helper start the container of each person who has one, and furnish it for them, at
 * most `jobs` at a time. Fills results[i] for people[i]. SIGINT and SIGTERM let those that have
 * begun come to their end and begin no other, whose results stay PREPARED_NOT. False when it was
 * ended like that.
 */
bool people_prepare(const struct people *people, size_t jobs, struct prepared *results,
		    prepare_tell *tell, void *data);

/* As many as there are processors that we may use. */
size_t jobs_default(void);

#endif
