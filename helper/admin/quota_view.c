/* helper/admin/quota_view.c - what a container uses of what it may use, as bars. */
#include "helper/admin/quota_view.h"

#include <inttypes.h>
#include <langinfo.h>
#include <string.h>
#include <sys/ioctl.h>

#include "helper/admin/containers.h"
#include "helper/admin/table.h"

#define COLUMNS_DEFAULT 80
#define LABEL_WIDTH     10
#define TEXT_WIDTH      32 /* percent and numbers beside the bar */
#define BAR_LEAST       5
#define BAR_MOST        50

#define NEAR_PERCENT 80
#define FULL_PERCENT 95

void quota_style_find(FILE *out, struct quota_style *style)
{
	struct winsize size;

	style->columns = COLUMNS_DEFAULT;
	if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col)
		style->columns = size.ws_col;
	style->blocks = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	style->colour = colour_wanted(out);
}

unsigned quota_percent(uint64_t used, uint64_t limit)
{
	if (used >= limit)
		return 100;
	return (unsigned)((double)used * 100 / (double)limit);
}

void quota_bar(unsigned percent, unsigned width, bool blocks, char *out)
{
	unsigned full = (percent * width + 50) / 100;

	/* What is not nothing shows, and what is not full does not look full. */
	if (full == 0 && percent > 0)
		full = 1;
	if (full == width && percent < 100)
		full = width - 1;
	*out = '\0';
	for (unsigned i = 0; i < width; i++) {
		const char *piece = i < full ? (blocks ? "█" : "#") : (blocks ? "░" : ".");
		size_t length = strlen(piece);

		memcpy(out, piece, length + 1);
		out += length;
	}
}

static const char *colour_of(unsigned percent, const struct quota_style *style)
{
	if (!style->colour || percent < NEAR_PERCENT)
		return "";
	return percent < FULL_PERCENT ? "\033[33m" : "\033[31m";
}

/* How the numbers of a row are written. */
typedef void format_number(uint64_t value, char out[24]);

static void as_bytes(uint64_t value, char out[24])
{
	format_bytes(value, out);
}

static void as_count(uint64_t value, char out[24])
{
	(void)snprintf(out, 24, "%" PRIu64, value);
}

static void print_meter(const char *label, uint64_t used, uint64_t limit, format_number *format,
			const struct quota_style *style, FILE *out)
{
	char bar[3 * BAR_MOST + 1] = "", has[24], may[24];
	unsigned width = 0, percent;
	const char *colour;

	if (used == UINT64_MAX && limit >= LIMIT_UNLIMITED)
		return;
	format(limit, may);
	if (used == UINT64_MAX) {
		(void)fprintf(out, "  %-*s at most %s\n", LABEL_WIDTH, label, may);
		return;
	}
	format(used, has);
	if (limit >= LIMIT_UNLIMITED) {
		(void)fprintf(out, "  %-*s %s, no limit\n", LABEL_WIDTH, label, has);
		return;
	}
	if (style->columns > LABEL_WIDTH + TEXT_WIDTH + BAR_LEAST)
		width = style->columns - LABEL_WIDTH - TEXT_WIDTH;
	if (width > BAR_MOST)
		width = BAR_MOST;
	percent = quota_percent(used, limit);
	quota_bar(percent, width, style->blocks, bar);
	colour = colour_of(percent, style);
	(void)fprintf(out, "  %-*s %s%s%s%3u %%%s  %s of %s\n", LABEL_WIDTH, label, colour, bar,
		      width ? " " : "", percent, *colour ? "\033[0m" : "", has, may);
}

static void print_cpu(const struct container_status *status, FILE *out)
{
	uint64_t time = status->in.cpu_microseconds, limit = status->held.value[LIMIT_CPU];
	char used[32], text[64];

	if (time == UINT64_MAX && limit >= LIMIT_UNLIMITED)
		return;
	format_clock(time == UINT64_MAX ? time : time / 1000000, used);
	policy_limit_format(LIMIT_CPU, limit, text, sizeof(text));
	(void)fprintf(
	    out, "  %-*s %s%s%s%s%s\n", LABEL_WIDTH, "cpu", time == UINT64_MAX ? "" : used,
	    time == UINT64_MAX ? "" : " used, ", limit < LIMIT_UNLIMITED ? "at most " : "no limit",
	    limit < LIMIT_UNLIMITED ? text : "", limit < LIMIT_UNLIMITED ? " of a processor" : "");
}

void quota_print(const struct container_status *status, const struct quota_style *style, FILE *out)
{
	(void)fprintf(out, "%s (policy %s%s%s)\n", status->name, status->policy,
		      strcmp(status->state, "running") == 0 ? "" : ", ",
		      strcmp(status->state, "running") == 0 ? "" : status->state);
	print_meter("memory", status->in.memory_bytes, status->held.value[LIMIT_MEMORY], as_bytes,
		    style, out);
	print_cpu(status, out);
	print_meter("processes", status->in.pids, status->held.value[LIMIT_PIDS], as_count, style,
		    out);
	print_meter("disk", status->disk.disk_bytes, status->disk.disk_limit_bytes, as_bytes, style,
		    out);
	print_meter("inodes", status->disk.inodes, status->disk.inode_limit, as_count, style, out);
	print_meter("sessions", status->session_count, status->session_limit, as_count, style, out);
}

void quota_write(const struct container_status *status, struct json *json)
{
	json_object_begin(json, NULL);
	json_string(json, "name", status->name);
	json_string(json, "policy", status->policy);
	json_string(json, "state", status->state);
	json_known(json, "memory_bytes", status->in.memory_bytes);
	json_known(json, "memory_peak_bytes", status->in.memory_peak_bytes);
	json_known(json, "memory_limit_bytes", status->held.value[LIMIT_MEMORY]);
	json_known(json, "swap_bytes", status->in.swap_bytes);
	json_known(json, "swap_limit_bytes", status->held.value[LIMIT_SWAP]);
	json_known(json, "cpu_microseconds", status->in.cpu_microseconds);
	json_known(json, "cpu_limit_hundredths", status->held.value[LIMIT_CPU]);
	json_known(json, "processes", status->in.pids);
	json_known(json, "process_limit", status->held.value[LIMIT_PIDS]);
	json_known(json, "disk_bytes", status->disk.disk_bytes);
	json_known(json, "disk_limit_bytes", status->disk.disk_limit_bytes);
	json_known(json, "inodes", status->disk.inodes);
	json_known(json, "inode_limit", status->disk.inode_limit);
	json_known(json, "sessions", status->session_count);
	json_known(json, "session_limit", status->session_limit);
	json_known(json, "read_bytes", status->in.read_bytes);
	json_known(json, "written_bytes", status->in.written_bytes);
	json_object_end(json);
}
