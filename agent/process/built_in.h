/* Files that are built into the program. Each ends with a NUL. */
#ifndef OB_PROCESS_BUILT_IN_H
#define OB_PROCESS_BUILT_IN_H

/* The style and the script of the status page. */
extern const char ob_status_css[], ob_status_js[];

/* deploy/ctl, the script that starts and stops the agent; "@BINARY@" stands for the path of this program. */
extern const char ob_ctl[];

#endif
