/* wire/cursor.c - little-endian numbers and strings in a bounded buffer. */
#include "wire/cursor.h"

#include <string.h>

#include "wire/wire.h"

/* magic, version, kind, length of the body */
#define HEADER_SIZE        12
#define HEADER_BODY_LENGTH 8

void wire_put_number(struct wire_writer *writer, uint64_t value, size_t bytes)
{
	if (writer->failed || writer->size - writer->used < bytes) {
		writer->failed = true;
		return;
	}
	for (size_t i = 0; i < bytes; i++)
		writer->data[writer->used++] = (unsigned char)(value >> (8 * i));
}

uint64_t wire_get_number(struct wire_reader *reader, size_t bytes)
{
	uint64_t value = 0;

	if (reader->failed || reader->length - reader->used < bytes) {
		reader->failed = true;
		return 0;
	}
	for (size_t i = 0; i < bytes; i++)
		value |= (uint64_t)reader->data[reader->used++] << (8 * i);
	return value;
}

void wire_put_string(struct wire_writer *writer, const char *text, size_t size)
{
	size_t length = strnlen(text, size);

	if (length == size || length > UINT16_MAX) {
		writer->failed = true;
		return;
	}
	wire_put_number(writer, length, sizeof(uint16_t));
	if (writer->failed || writer->size - writer->used < length) {
		writer->failed = true;
		return;
	}
	memcpy(writer->data + writer->used, text, length);
	writer->used += length;
}

void wire_get_string(struct wire_reader *reader, char *text, size_t size)
{
	size_t length = wire_get_number(reader, sizeof(uint16_t));

	if (reader->failed || length >= size || reader->length - reader->used < length ||
	    memchr(reader->data + reader->used, '\0', length)) {
		reader->failed = true;
		return;
	}
	memcpy(text, reader->data + reader->used, length);
	text[length] = '\0';
	reader->used += length;
}

void wire_put_bytes(struct wire_writer *writer, const void *bytes, size_t length)
{
	if (length > UINT32_MAX)
		writer->failed = true;
	wire_put_number(writer, length, sizeof(uint32_t));
	if (writer->failed || writer->size - writer->used < length) {
		writer->failed = true;
		return;
	}
	if (length)
		memcpy(writer->data + writer->used, bytes, length);
	writer->used += length;
}

const void *wire_get_bytes(struct wire_reader *reader, size_t *length)
{
	const void *bytes;

	*length = wire_get_number(reader, sizeof(uint32_t));
	if (reader->failed || reader->length - reader->used < *length) {
		reader->failed = true;
		*length = 0;
		return NULL;
	}
	bytes = reader->data + reader->used;
	reader->used += *length;
	return *length ? bytes : NULL;
}

struct wire_writer wire_write_begin(void *buffer, size_t size, uint16_t kind)
{
	struct wire_writer writer = {.data = buffer, .size = size};

	wire_put_number(&writer, WIRE_MAGIC, sizeof(uint32_t));
	wire_put_number(&writer, WIRE_VERSION, sizeof(uint16_t));
	wire_put_number(&writer, kind, sizeof(uint16_t));
	wire_put_number(&writer, 0, sizeof(uint32_t));
	return writer;
}

size_t wire_write_end(struct wire_writer *writer)
{
	size_t length = writer->used;

	if (writer->failed)
		return 0;
	writer->used = HEADER_BODY_LENGTH;
	wire_put_number(writer, length - HEADER_SIZE, sizeof(uint32_t));
	return length;
}

struct wire_reader wire_read_begin(const void *data, size_t length, uint16_t *kind)
{
	struct wire_reader reader = {.data = data, .length = length};
	uint64_t magic = wire_get_number(&reader, sizeof(uint32_t));
	uint64_t version = wire_get_number(&reader, sizeof(uint16_t));
	uint64_t body;

	*kind = (uint16_t)wire_get_number(&reader, sizeof(uint16_t));
	body = wire_get_number(&reader, sizeof(uint32_t));
	if (reader.failed || magic != WIRE_MAGIC || version != WIRE_VERSION ||
	    body != length - HEADER_SIZE) {
		*kind = 0;
		reader.failed = true;
	}
	return reader;
}

bool wire_read_end(const struct wire_reader *reader)
{
	return !reader->failed && reader->used == reader->length;
}
