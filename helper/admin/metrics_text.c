/* helper/admin/metrics_text.c - the Prometheus text format. */
#include "helper/admin/metrics_text.h"

#include <inttypes.h>

#include "helper/admin/table.h"

enum family_type { GAUGE, COUNTER };

#define FIELD(member) offsetof(struct metrics_container, status.member)
#define HELD(id)      (FIELD(held) + (id) * sizeof(uint64_t))

/* How the number of a field becomes that of a sample. */
enum unit { AS_IT_IS, FROM_MICROSECONDS, FROM_HUNDREDTHS };

/* By https://prometheus.io/docs/practices/naming/: base units, _total for what only grows. */
static const struct family {
	const char *name, *help;
	enum family_type type;
	size_t offset; /* of a uint64_t in struct metrics_container */
	enum unit unit;
} families[] = {
    {"carrel_container_start_time_seconds", "When the container was started, since the epoch.",
     GAUGE, FIELD(started_at), AS_IT_IS},
    {"carrel_container_sessions", "Logins that are in the container.", GAUGE, FIELD(session_count),
     AS_IT_IS},
    {"carrel_container_sessions_limit", "Logins that the policy allows at the same time.", GAUGE,
     FIELD(session_limit), AS_IT_IS},
    {"carrel_container_memory_bytes", "Memory in use.", GAUGE, FIELD(in.memory_bytes), AS_IT_IS},
    {"carrel_container_memory_peak_bytes", "The most memory that was in use since the start.",
     GAUGE, FIELD(in.memory_peak_bytes), AS_IT_IS},
    {"carrel_container_memory_limit_bytes", "Memory that it may use.", GAUGE, HELD(LIMIT_MEMORY),
     AS_IT_IS},
    {"carrel_container_swap_bytes", "Swap space in use.", GAUGE, FIELD(in.swap_bytes), AS_IT_IS},
    {"carrel_container_oom_kills_total", "Processes killed for want of memory since the start.",
     COUNTER, FIELD(in.memory_kills), AS_IT_IS},
    {"carrel_container_cpu_seconds_total", "Processor time used since the start.", COUNTER,
     FIELD(in.cpu_microseconds), FROM_MICROSECONDS},
    {"carrel_container_cpu_limit_ratio", "Processors that it may use, 1 is a whole one.", GAUGE,
     HELD(LIMIT_CPU), FROM_HUNDREDTHS},
    {"carrel_container_processes", "Processes and threads in the container.", GAUGE, FIELD(in.pids),
     AS_IT_IS},
    {"carrel_container_processes_limit", "Processes and threads that it may have.", GAUGE,
     HELD(LIMIT_PIDS), AS_IT_IS},
    {"carrel_container_processes_refused_total",
     "Times that a process was refused for the limit since the start.", COUNTER,
     FIELD(in.pids_refusals), AS_IT_IS},
    {"carrel_container_disk_bytes", "Disk space in use.", GAUGE, FIELD(disk.disk_bytes), AS_IT_IS},
    {"carrel_container_disk_limit_bytes", "Disk space that it may use.", GAUGE,
     FIELD(disk.disk_limit_bytes), AS_IT_IS},
    {"carrel_container_inodes", "Files on its disk.", GAUGE, FIELD(disk.inodes), AS_IT_IS},
    {"carrel_container_inodes_limit", "Files that its disk can hold.", GAUGE,
     FIELD(disk.inode_limit), AS_IT_IS},
    {"carrel_container_read_bytes_total", "Bytes read from disks since the start.", COUNTER,
     FIELD(in.read_bytes), AS_IT_IS},
    {"carrel_container_written_bytes_total", "Bytes written to disks since the start.", COUNTER,
     FIELD(in.written_bytes), AS_IT_IS},
};

static void print_head(const char *name, const char *help, enum family_type type, FILE *out)
{
	(void)fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
		      type == COUNTER ? "counter" : "gauge");
}

/* Scrapers refuse a whole file for one byte that is not UTF-8. */
void metrics_label(const char *value, FILE *out)
{
	char safe[4 * 257 + 1];

	text_make_safe(value, safe, sizeof(safe));
	(void)fputc('"', out);
	for (const char *byte = safe; *byte; byte++) {
		if (*byte == '\\' || *byte == '"')
			(void)fputc('\\', out);
		(void)fputc(*byte, out);
	}
	(void)fputc('"', out);
}

static void print_labels(const char *name, const struct metrics_container *it, FILE *out)
{
	(void)fprintf(out, "%s{container=", name);
	metrics_label(it->status.name, out);
	(void)fputs(",policy=", out);
	metrics_label(it->status.policy, out);
	(void)fputs(",user=", out);
	metrics_label(it->user, out);
	(void)fputs("} ", out);
}

static void print_value(uint64_t value, enum unit unit, FILE *out)
{
	switch (unit) {
	case AS_IT_IS:
		(void)fprintf(out, "%" PRIu64 "\n", value);
		return;
	case FROM_MICROSECONDS:
		(void)fprintf(out, "%" PRIu64 ".%06" PRIu64 "\n", value / 1000000, value % 1000000);
		return;
	case FROM_HUNDREDTHS: /* of a percent */
		(void)fprintf(out, "%" PRIu64 ".%04" PRIu64 "\n", value / 10000, value % 10000);
		return;
	}
}

static void print_family(const struct family *family, const struct metrics_container *all,
			 size_t count, FILE *out)
{
	bool has_head = false;

	for (size_t i = 0; i < count; i++) {
		uint64_t value =
		    *(const uint64_t *)(const void *)((const char *)&all[i] + family->offset);

		if (value >= LIMIT_UNLIMITED)
			continue;
		if (!has_head)
			print_head(family->name, family->help, family->type, out);
		has_head = true;
		print_labels(family->name, &all[i], out);
		print_value(value, family->unit, out);
	}
}

static void print_up(const struct metrics_container *all, size_t count, FILE *out)
{
	static const char name[] = "carrel_container_up";

	if (count)
		print_head(name, "Whether the container runs.", GAUGE, out);
	for (size_t i = 0; i < count; i++) {
		print_labels(name, &all[i], out);
		(void)fprintf(out, "%d\n", all[i].runs);
	}
}

void metrics_print(const struct metrics_container *all, size_t count,
		   const struct metrics_totals *totals, FILE *out)
{
	print_head("carrel_containers", "Containers, by whether they run.", GAUGE, out);
	(void)fprintf(out, "carrel_containers{state=\"running\"} %" PRIu64 "\n", totals->running);
	(void)fprintf(out, "carrel_containers{state=\"stopped\"} %" PRIu64 "\n", totals->stopped);
	print_up(all, count, out);
	for (size_t i = 0; i < ARRAY_LENGTH(families); i++)
		print_family(&families[i], all, count, out);
}
