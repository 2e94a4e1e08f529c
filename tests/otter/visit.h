/*
 * From a request to its answer.
 */
#ifndef FO_VISIT_H
#define FO_VISIT_H

#include "tests/otter/site.h"

/* For the options of the daemon; the site is what they are given. */
void *fo_visit_begin(void *site, const char *uri, struct MHD_Connection *connection);
enum MHD_Result fo_visit_go_on(void *site, struct MHD_Connection *connection, const char *path, const char *method,
        const char *version, const char *data, size_t *length, void **visit);
void fo_visit_end(void *site, struct MHD_Connection *connection, void **visit, enum MHD_RequestTerminationCode how);

#endif
