/* The bytes of config/otterbeat.cfg, the commented config that --init writes; a NUL ends them. */
#ifndef OB_CONFIG_DEMO_H
#define OB_CONFIG_DEMO_H

extern const char ob_config_demo[];

#endif
