/*
 * The characters that HTML 4 has names for.
 */
#ifndef FO_ENTITIES_H
#define FO_ENTITIES_H

/* "rarr" for U+2192; NULL when there is no name. */
const char *fo_entity_name(unsigned code);

#endif
