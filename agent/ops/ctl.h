/* The script that starts and stops, deploy/ctl, as --init writes it; "@BINARY@" stands for our path. */
#ifndef OB_OPS_CTL_H
#define OB_OPS_CTL_H

extern const char ob_ctl[];

#endif
