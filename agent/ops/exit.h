/* How the program ends: sysexits.h, as the man page says. */
#ifndef OB_OPS_EXIT_H
#define OB_OPS_EXIT_H

enum {
        EXIT_FINE = 0,
        EXIT_DIFFERS = 1, /* verify: Graphite has something else than the tables */
        EXIT_USAGE = 64,
        EXIT_UNREACHED = 69, /* something could not be reached or read */
        EXIT_OUR_FAULT = 70,
        EXIT_CONFIG = 78
};

#endif
