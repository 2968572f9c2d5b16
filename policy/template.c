/* policy/template.c - names of containers and hosts, made from templates and names of users. */
#include "policy/template.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "policy/policy.h"

#define NAME_MAX_LENGTH     64
#define HOSTNAME_MAX_LENGTH 63 /* RFC 1035, 2.3.4; Linux takes 64 but resolvers do not */
#define HASH_LENGTH         9  /* "-" and eight hex digits */

/* What a template became so far. Bytes that do not fit are counted and hashed, not kept. */
struct expansion {
	char text[NAME_MAX_LENGTH + 1];
	size_t length;
	uint32_t hash; /* FNV-1a of every byte */
};

static void add_byte(struct expansion *expansion, char byte)
{
	if (expansion->length < NAME_MAX_LENGTH)
		expansion->text[expansion->length] = byte;
	expansion->length++;
	expansion->hash = (expansion->hash ^ (unsigned char)byte) * UINT32_C(16777619);
}

static void add_text(struct expansion *expansion, const char *text)
{
	while (*text)
		add_byte(expansion, *text++);
}

static bool add_variable(struct expansion *expansion, char variable, const char *user,
			 const char *group, const char *policy, const char *template,
			 struct failure *why)
{
	const char *value = variable == 'u' ? user : variable == 'g' ? group : policy;

	if (variable == '\0' || !strchr("ugp%", variable))
		return fail(why, FAILURE_POLICY, 0,
			    "\"%.80s\" has a %% that is not %%u, %%g, %%p or %%%%", template);
	if (variable == '%') {
		add_byte(expansion, '%');
		return true;
	}
	if (!value || *value == '\0')
		return fail(why, FAILURE_POLICY, 0,
			    "\"%.80s\" has %%%c, but there is no %s to put in its place", template,
			    variable,
			    variable == 'u'   ? "user"
			    : variable == 'g' ? "matched group"
					      : "policy");
	add_text(expansion, value);
	return true;
}

static bool expand(const char *template, const char *user, const char *group, const char *policy,
		   struct expansion *expansion, struct failure *why)
{
	*expansion = (struct expansion){.hash = UINT32_C(2166136261)};
	for (const char *at = template; *at; at++) {
		if (*at != '%') {
			add_byte(expansion, *at);
			continue;
		}
		at++;
		if (!add_variable(expansion, *at, user, group, policy, template, why))
			return false;
	}
	if (expansion->length == 0)
		return fail(why, FAILURE_POLICY, 0, "the name is empty");
	return true;
}

static bool is_letter(char byte)
{
	return byte >= 'a' && byte <= 'z';
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_name_byte(char byte, bool first)
{
	if (is_letter(byte) || byte == '_')
		return true;
	return !first && (is_digit(byte) || byte == '.' || byte == '-');
}

static bool is_label_byte(char byte, bool edge)
{
	return is_letter(byte) || (byte >= 'A' && byte <= 'Z') || is_digit(byte) ||
	       (!edge && byte == '-');
}

static bool is_legal_at(const struct expansion *expansion, size_t i, bool is_hostname)
{
	char byte = expansion->text[i];
	bool last = i + 1 == expansion->length;

	if (is_hostname)
		return is_label_byte(byte, i == 0 || last);
	return is_name_byte(byte, i == 0) && !(last && byte == '.');
}

static bool is_legal(const struct expansion *expansion, bool is_hostname)
{
	size_t longest = is_hostname ? HOSTNAME_MAX_LENGTH : NAME_MAX_LENGTH;

	if (expansion->length == 0 || expansion->length > longest)
		return false;
	for (size_t i = 0; i < expansion->length; i++)
		if (!is_legal_at(expansion, i, is_hostname))
			return false;
	return true;
}

/* Replace what is not legal, and add the hash of what was there, so that two never become one. */
static void map(const struct expansion *expansion, bool is_hostname, char out[NAME_MAX_LENGTH + 1])
{
	size_t longest = (is_hostname ? HOSTNAME_MAX_LENGTH : NAME_MAX_LENGTH) - HASH_LENGTH;
	size_t length = expansion->length < longest ? expansion->length : longest;

	for (size_t i = 0; i < length; i++) {
		char byte = expansion->text[i];

		if (is_hostname)
			out[i] = is_label_byte(byte, i == 0) ? byte : i == 0 ? 'x' : '-';
		else
			out[i] = is_name_byte(byte, i == 0) ? byte : '_';
	}
	(void)snprintf(out + length, HASH_LENGTH + 1, "-%08" PRIx32, expansion->hash);
}

bool template_expand(const char *template, const char *user, const char *group, const char *policy,
		     bool is_hostname, char out[65], struct failure *why)
{
	struct expansion expansion;

	if (!expand(template, user, group, policy, &expansion, why))
		return false;
	if (is_legal(&expansion, is_hostname)) {
		memcpy(out, expansion.text, expansion.length);
		out[expansion.length] = '\0';
	} else {
		map(&expansion, is_hostname, out);
	}
	return true;
}

bool template_check(const char *template, bool is_hostname, struct failure *why)
{
	struct expansion expansion;

	if (!expand(template, "u", "g", "p", &expansion, why))
		return false;
	if (is_legal(&expansion, is_hostname))
		return true;
	return fail(why, FAILURE_POLICY, 0, "\"%.80s\" does not make a valid %s", template,
		    is_hostname ? "host name; use at most 63 letters, digits and -, with %u, %g, %p"
				: "name; use at most 64 of a-z 0-9 _ . - with %u, %g, %p, "
				  "and begin with a letter or _");
}

bool template_uses(const char *template, char variable)
{
	for (const char *at = strchr(template, '%'); at && at[1]; at = strchr(at + 2, '%'))
		if (at[1] == variable)
			return true;
	return false;
}

bool name_is_valid(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length > NAME_MAX_LENGTH)
		return false;
	for (size_t i = 0; i < length; i++)
		if (!is_name_byte(name[i], i == 0))
			return false;
	return true;
}
