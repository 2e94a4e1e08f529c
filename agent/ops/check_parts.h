/* The parts of --check, each in a file of its own. */
#ifndef OB_OPS_CHECK_PARTS_H
#define OB_OPS_CHECK_PARTS_H

#include "agent/ops/report.h"
#include "agent/source/mysql/session_turns.h"
#include "config/config.h"

/* This machine: files that others can read, the store, the log, where the status page goes. */
void ob_check_machine(struct ob_report *r, const struct ob_config *c);

/* A manager's database: the way there, the session, how many of them there may be, each table. */
void ob_check_database(
        struct ob_report *r, const struct ob_config *c, const struct ob_manager *m, struct ob_session_turns *turns);

/* A manager's pages. */
void ob_check_pages(
        struct ob_report *r, const struct ob_config *c, const struct ob_manager *m, struct ob_session_turns *turns);

void ob_check_sink(struct ob_report *r, const struct ob_sink_settings *s);

#endif
