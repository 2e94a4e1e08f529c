/* A zoneinfo file off a damaged disk: it is refused, or tells some time. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "config/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const int64_t locals[] = { 0, 1587351057, 1603591200, 4102444800 };
        struct ob_err err = { .text = "" };
        struct ob_zone *z = ob_zone_read(data, size, &err);

        assert(z || *err.text);
        for (size_t i = 0; z && i < sizeof(locals) / sizeof(*locals); i++)
                assert(llabs(ob_zone_epoch(z, locals[i], INT64_MAX) - locals[i]) < 4 * 86400);
        ob_zone_free(z);
        return 0;
}
