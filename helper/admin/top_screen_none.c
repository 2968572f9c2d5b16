/* helper/admin/top_screen_none.c - `carrel top` in a build without ncurses. */
#include "helper/admin/admin.h"
#include "helper/admin/top.h"

int top_screen(const struct context *context, const struct top_settings *settings)
{
	(void)context;
	(void)settings;
	return complain("top: this carrel was built without ncurses, which draws the screen: say "
			"'carrel top --batch', or build it with libncurses-dev installed");
}
