/*
 * How an answer goes out: whole and well, or as ordered.
 */
#ifndef FO_REPLY_H
#define FO_REPLY_H

#include "tests/otter/site.h"

/* Of this page (for the orders; "" for one that has no name). The body is taken over. */
enum MHD_Result fo_reply(struct fo_visit *visit, const char *page, struct fo_answer *answer);

#endif
