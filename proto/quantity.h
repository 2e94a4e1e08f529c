/* Numbers as people read them: "12 s", "1,234", "3.4 MB". Pure functions; each writes into `text` and returns it.
 */
#ifndef OB_PROTO_QUANTITY_H
#define OB_PROTO_QUANTITY_H

#include <stdint.h>

#define OB_QUANTITY_MAX 32 /* bytes of such a text, with its NUL */

/* A time in milliseconds: "12 s", "5 min", "3 h", "2 d". */
const char *ob_quantity_time(char text[OB_QUANTITY_MAX], int64_t ms);

/* A number with a comma between groups of three digits. */
const char *ob_quantity_count(char text[OB_QUANTITY_MAX], int64_t number);

const char *ob_quantity_bytes(char text[OB_QUANTITY_MAX], int64_t bytes);

#endif
