/* An error as one line of text for a person: what failed, where, what to do. A value; one thread owns it. */
#ifndef OB_PROTO_ERROR_H
#define OB_PROTO_ERROR_H

#define OB_ERR_MAX 512

struct ob_err {
        char text[OB_ERR_MAX]; /* as ob_utf8_show() writes text, without a secret; "": no error */
};

/*
 * Writes the error and returns -1, so that a function can end with it. Text from a server, a page or a file is made
 * safe for logs and terminals, in one line. A text that is too long ends in "…".
 */
int ob_fail(struct ob_err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "what: " before the text. Returns -1. */
int ob_fail_in(struct ob_err *err, const char *what);

#endif
