/* helper/admin/top_screen.h - the state of the screen of `carrel top`, apart from drawing it. */
#ifndef CARREL_HELPER_ADMIN_TOP_SCREEN_H
#define CARREL_HELPER_ADMIN_TOP_SCREEN_H

#include "helper/admin/top.h"

/* What the keys mean at the moment. */
enum top_mode {
	TOP_BROWSE,
	TOP_FILTERING, /* a filter is typed, and holds at once */
	TOP_ASKING,    /* y, or no */
	TOP_WRITING,   /* a message is typed */
	TOP_READING    /* the help */
};

struct top_screen {
	const struct context *context;
	uint64_t delay_ms;
	struct top_order order;
	struct top_look look;
	const struct top_row **shown; /* owned; pointers into look */
	size_t shown_count;
	size_t top;      /* index of the first one on the screen */
	size_t cursor;   /* index of the chosen one */
	char chosen[65]; /* its name, by which it is found again after the next look */
	enum top_mode mode;
	enum top_action action;
	char target[65]; /* whom the question is about: stays when the table changes */
	char filter[65];
	char text[512];    /* of the message */
	char said[512];    /* the last line that a command wrote */
	int told, telling; /* pipe: commands write to telling */
	bool blocks, colour;
	bool again, over; /* look at once; end */
};

/* Draw everything; only what has changed is sent. */
void top_draw(struct top_screen *screen);

/* Understand a key as ncurses has it. */
void top_key(struct top_screen *screen, int key);

/* Sort and filter anew, and find the chosen one again. False when out of memory. */
bool top_rearrange(struct top_screen *screen);

/* How many rows of the table there is room for. */
size_t top_page(void);

#endif
