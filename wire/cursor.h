/* wire/cursor.h - little-endian numbers and strings in a bounded buffer; private to wire/. */
#ifndef CARREL_WIRE_CURSOR_H
#define CARREL_WIRE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Both cursors fail for good at the first thing that does not fit: the callers put or get a whole
 * message and look at `failed` once, at the end. A failed get yields zero or "".
 */
struct wire_writer {
	unsigned char *data;
	size_t size, used;
	bool failed;
};

struct wire_reader {
	const unsigned char *data;
	size_t length, used;
	bool failed;
};

/* `bytes` is 2, 4 or 8; `value` must fit. */
void wire_put_number(struct wire_writer *writer, uint64_t value, size_t bytes);
uint64_t wire_get_number(struct wire_reader *reader, size_t bytes);

/*
 * A u16 length and the bytes without the NUL. `size` is that of the char array: one that holds no
 * NUL fails. A string read must fit with its NUL and must not hold one; the rest of `text` is
 * left as it was.
 */
void wire_put_string(struct wire_writer *writer, const char *text, size_t size);
void wire_get_string(struct wire_reader *reader, char *text, size_t size);

/*
 * A u32 length and the bytes. The bytes that are got are those in the message, not a copy.
 */
void wire_put_bytes(struct wire_writer *writer, const void *bytes, size_t length);
const void *wire_get_bytes(struct wire_reader *reader, size_t *length);

/*
 * The header before every message, which holds the length of the body that follows it. Writing:
 * begin, put the body, end; end returns the length of the whole message, or 0 when anything
 * failed. Reading: begin takes the whole datagram and yields the kind (verb or action, 0 when the
 * header is not ours); get the body; end is true when nothing failed and nothing is left.
 */
struct wire_writer wire_write_begin(void *buffer, size_t size, uint16_t kind);
size_t wire_write_end(struct wire_writer *writer);
struct wire_reader wire_read_begin(const void *data, size_t length, uint16_t *kind);
bool wire_read_end(const struct wire_reader *reader);

#endif
