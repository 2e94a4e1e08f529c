/*
 * Finds the name that the user probably meant by an unknown option, command or setting. Pure functions; a value
 * that one thread owns.
 */
#ifndef OB_PROTO_NEAREST_H
#define OB_PROTO_NEAREST_H

#include <stddef.h>

struct ob_nearest {
        const char *word; /* the unknown word; borrowed */
        const char *name; /* the nearest name so far; borrowed. NULL: none is near */
        size_t distance;  /* of `name` */
};

/*
 * Compares one more name with the word. A name is near when it begins with the word, or when at most a third
 * (rounded) of the letters are wrong. A wrong letter is missing, extra, different, or swapped with its neighbour.
 * Capital letters and dashes at the beginning do not matter. Of two equally near names the first one stays.
 */
void ob_nearest_try(struct ob_nearest *n, const char *name);

#endif
