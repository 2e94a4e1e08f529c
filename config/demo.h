/* The configs that --init writes, each ended by a NUL. */
#ifndef OB_CONFIG_DEMO_H
#define OB_CONFIG_DEMO_H

extern const char ob_config_first[]; /* config/otterbeat.cfg, the first config: short */
extern const char ob_config_demo[];  /* config/otterbeat.cfg.example: every setting, with comments */

#endif
