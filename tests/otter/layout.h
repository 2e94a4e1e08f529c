/*
 * What stands around each screen, and the screens that are nothing else.
 */
#ifndef FO_LAYOUT_H
#define FO_LAYOUT_H

#include "tests/otter/site.h"

/* The whole page: navigation (line ends of Unix), the screen (of DOS), the foot. */
void fo_layout_add(const struct fo_visit *visit, const struct fo_text *screen, struct fo_text *out);

/* The screen is made of `template` alone; $site is the address. */
void fo_layout_add_screen(const struct fo_visit *visit, const char *template, struct fo_text *screen);

/* What a manager says of any trouble of its own: the whole answer, with this status. */
void fo_layout_fail(const struct fo_visit *visit, struct fo_answer *answer, unsigned status);

/*
 * The lines under a list: 共N条数据 第P页/共Q页, and links. fo_paging_of clamps the page that is
 * asked for; with no rows it is 0.
 */
enum { FO_ROWS_A_PAGE = 10 };

struct fo_paging {
        int64_t rows;
        int64_t page;
        int64_t pages;
};

struct fo_paging fo_paging_of(const struct fo_visit *visit, int64_t rows);
void fo_paging_add(const struct fo_paging *paging, struct fo_text *screen);

#endif
