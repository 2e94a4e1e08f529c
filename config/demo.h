/* The commented demo config, config/otterbeat.cfg, as --init writes it. NUL-terminated. */
#ifndef OB_CONFIG_DEMO_H
#define OB_CONFIG_DEMO_H

extern const char ob_config_demo[];

#endif
