/*
 * Which addresses there are, and who may see them.
 */
#ifndef FO_ACCESS_H
#define FO_ACCESS_H

enum fo_access { FO_ANYONE, FO_ADMINISTRATORS, FO_NOBODY };

/* Of the whole path; what follows a ";" is part of it, and then nobody may. */
enum fo_access fo_access_of(const char *path);

/* "/pipeline_list.htm" and "/pipelineList.htm" are both "pipelineList". -1: it is no page, or too long. */
int fo_access_page(const char *path, char *name, unsigned size);

#endif
