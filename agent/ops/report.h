/*
 * What --check finds: a line each on standard output as it is found, or all of it as JSON at the end. One thread's.
 */
#ifndef OB_OPS_REPORT_H
#define OB_OPS_REPORT_H

#include <stdbool.h>

#include <jansson.h>

enum ob_grade { OB_GRADE_OK, OB_GRADE_WARN, OB_GRADE_BAD, OB_GRADES };

struct ob_report {
        bool is_json;
        enum ob_grade worst;
        json_t *findings; /* ours, when it is JSON */
};

void ob_report_begin(struct ob_report *r, bool is_json);

/* Ends it. The worst grade there was. */
enum ob_grade ob_report_end(struct ob_report *r);

/* `what` it is about and its `name`; `fix`: what to do about it; "": nothing. No secret in any of them. */
void ob_report_add(struct ob_report *r, enum ob_grade grade, const char *what, const char *name, const char *fix,
        const char *format, ...) __attribute__((format(printf, 6, 7)));

#endif
