/*
 * What went wrong, as one line of text for a person: which, where, what to do.
 * A value, owned by whoever declares it; one thread at a time.
 */
#ifndef OB_PROTO_ERROR_H
#define OB_PROTO_ERROR_H

#define OB_ERR_MAX 512

struct ob_err {
        char text[OB_ERR_MAX]; /* as ob_utf8_show() leaves it, without quotes, no secret; "" when nothing was said
                                */
};

/*
 * Says it and returns -1, so that a function can end with it. Whatever a server, a page or a file puts into the
 * text, the result is one line that any log and terminal may have. Too long a text ends in "…".
 */
int ob_fail(struct ob_err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "what: " before what is said already. Returns -1. */
int ob_fail_in(struct ob_err *err, const char *what);

#endif
