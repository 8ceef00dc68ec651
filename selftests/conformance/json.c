// SPDX-License-Identifier: GPL-2.0
/* Write the results as JSON, for programs. */
#include "conformance.h"

#include <json.h>

static const char * const results[] = {
	[HOLDS] = "holds", [DEVIATES] = "deviates", [CANNOT] = "cannot apply",
};

static void put(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

static void put_int(struct json_object *o, const char *key, int n)
{
	json_object_object_add(o, key, json_object_new_int(n));
}

static struct json_object *family_row(const struct suite *s, int i)
{
	struct json_object *o = json_object_new_object();

	put(o, "name", families[i].name);
	put(o, "text", families[i].text);
	if (s->missing[i]) {
		put(o, "missing", s->missing[i]);
		return o;
	}
	put_int(o, "holds", suite_count(s, &families[i], HOLDS));
	put_int(o, "deviates", suite_count(s, &families[i], DEVIATES));
	put_int(o, "cannot_apply", suite_count(s, &families[i], CANNOT));
	return o;
}

static struct json_object *case_row(const struct test *t)
{
	struct json_object *o = json_object_new_object();

	put(o, "family", t->f->name);
	put(o, "type", type_name(t->type));
	if (t->mode)
		put(o, "mode", mode_name(t->mode));
	put(o, "clause", t->clause->name);
	put(o, "result", results[t->result]);
	if (t->result == DEVIATES)
		put(o, "seen", t->seen);
	if (t->result == CANNOT)
		put(o, "reason", t->seen);
	return o;
}

int json(FILE *out, const struct suite *s)
{
	struct json_object *doc = json_object_new_object();
	struct json_object *rows = json_object_new_array();
	int flags = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE;
	int i;

	for (i = 0; i < nfamilies; i++) {
		if (s->family[i])
			json_object_array_add(rows, family_row(s, i));
	}
	json_object_object_add(doc, "families", rows);
	rows = json_object_new_array();
	for (i = 0; i < s->ncases; i++) {
		if (s->cases[i].clause)
			json_object_array_add(rows, case_row(&s->cases[i]));
	}
	json_object_object_add(doc, "cases", rows);
	fputs(json_object_to_json_string_ext(doc, flags), out);
	fputc('\n', out);
	json_object_put(doc);
	return 0;
}
