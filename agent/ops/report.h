/*
 * The findings of --check: each is a line on standard output at once, or all of them are one JSON text at the end.
 * One thread owns a report.
 */
#ifndef OB_OPS_REPORT_H
#define OB_OPS_REPORT_H

#include <stdbool.h>

#include <jansson.h>

/* A finding that is BAD is a problem: the agent would not work. */
enum ob_grade { OB_GRADE_OK, OB_GRADE_WARN, OB_GRADE_BAD, OB_GRADES };

struct ob_report {
        bool is_json;
        bool has_colours;
        enum ob_grade worst;
        unsigned counts[OB_GRADES];
        char *first_fix;  /* ours: the name and the fix of the first BAD that has a fix; NULL: there is none */
        json_t *findings; /* ours; NULL when lines are printed */
};

void ob_report_begin(struct ob_report *r, bool is_json);

/* Ends the report; after the lines prints a summary: how many problems there are, and the first fix. Returns the
 * worst grade of all findings. */
enum ob_grade ob_report_end(struct ob_report *r);

/* Adds a finding about the thing `what` with the name `name`. `fix` says what to do; "": nothing. No text may hold
 * a secret. */
void ob_report_add(struct ob_report *r, enum ob_grade grade, const char *what, const char *name, const char *fix,
        const char *format, ...) __attribute__((format(printf, 6, 7)));

#endif
