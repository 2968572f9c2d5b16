/* helper/events/json.c - write JSON into a string that grows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper/events/events.h"
#include "helper/events/text.h"

/* Room for `more` bytes and a NUL. */
static bool reserve(struct json *json, size_t more)
{
	size_t size = json->size ? json->size : 256;
	char *grown;

	if (json->failed)
		return false;
	while (size - json->length <= more)
		size *= 2;
	if (size == json->size)
		return true;
	grown = realloc(json->text, size);
	if (!grown) {
		json->failed = true;
		return false;
	}
	json->text = grown;
	json->size = size;
	return true;
}

static void add(struct json *json, const char *text)
{
	size_t length = strlen(text);

	if (!reserve(json, length))
		return;
	memcpy(json->text + json->length, text, length + 1);
	json->length += length;
}

/* Every byte takes at most six, "\u00XX" or "\ufffd", and the quotes two. */
static void add_quoted(struct json *json, const char *string)
{
	size_t most = strlen(string) * 6 + 3;
	struct text text;

	if (!reserve(json, most))
		return;
	text = (struct text){.out = json->text + json->length, .size = most + 1};
	text_json(&text, string);
	json->length += text.used;
}

static void begin_value(struct json *json, const char *key)
{
	if (json->comma)
		add(json, ",");
	if (key) {
		add_quoted(json, key);
		add(json, ":");
	}
	json->comma = true;
}

void json_free(struct json *json)
{
	free(json->text);
	*json = (struct json){0};
}

void json_object_begin(struct json *json, const char *key)
{
	begin_value(json, key);
	add(json, "{");
	json->comma = false;
}

void json_object_end(struct json *json)
{
	add(json, "}");
	json->comma = true;
}

void json_array_begin(struct json *json, const char *key)
{
	begin_value(json, key);
	add(json, "[");
	json->comma = false;
}

void json_array_end(struct json *json)
{
	add(json, "]");
	json->comma = true;
}

void json_string(struct json *json, const char *key, const char *value)
{
	begin_value(json, key);
	if (value)
		add_quoted(json, value);
	else
		add(json, "null");
}

void json_number(struct json *json, const char *key, uint64_t value)
{
	char digits[24];

	begin_value(json, key);
	(void)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
	add(json, digits);
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin_value(json, key);
	add(json, value ? "true" : "false");
}
