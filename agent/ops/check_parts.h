/* The parts of --check. Each part adds its findings to the report. */
#ifndef OB_OPS_CHECK_PARTS_H
#define OB_OPS_CHECK_PARTS_H

#include "agent/ops/report.h"
#include "agent/source/mysql/session_turns.h"
#include "config/config.h"

/* This machine: files that other users can read, the store, the log, the address of the status page. */
void ob_check_machine(struct ob_report *r, const struct ob_config *c);

/* How findings name a manager: by its name, or by that of its database. */
const char *ob_check_name(const struct ob_manager *m);

/* A manager's database: the connection, the session, the number of sessions, each table. False: no log-in. */
bool ob_check_database(
        struct ob_report *r, const struct ob_config *c, const struct ob_manager *m, struct ob_session_turns *turns);

/* A sink's server, as far as it can be asked, and what is assumed about it. */
void ob_check_sink(struct ob_report *r, const struct ob_config *c, const struct ob_sink_settings *s);

#endif
