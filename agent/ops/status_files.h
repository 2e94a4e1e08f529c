/* What the status page is drawn with, as built in from status.css and status.js. */
#ifndef OB_OPS_STATUS_FILES_H
#define OB_OPS_STATUS_FILES_H

extern const char ob_status_css[], ob_status_js[];

#endif
