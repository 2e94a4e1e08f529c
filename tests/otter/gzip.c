#include "tests/otter/gzip.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { PIECE = 65536, GZIP = 16 };

/* Compresses what is put in, to the end of `out`. */
static void press(z_stream *stream, struct fo_text *out, void *bytes, size_t length, int flush)
{
        stream->next_in = bytes;
        stream->avail_in = (unsigned)length;
        do {
                stream->next_out = (unsigned char *)fo_text_reserve(out, PIECE);
                stream->avail_out = PIECE;
                if (deflate(stream, flush) == Z_STREAM_ERROR)
                        abort();
                out->length += PIECE - stream->avail_out;
        } while (!stream->avail_out);
}

void fo_gzip(struct fo_text *text, uint64_t spaces)
{
        struct fo_text out = { 0 };
        z_stream stream = { 0 };
        char blank[PIECE];

        memset(blank, ' ', sizeof(blank));
        if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + GZIP, 8, Z_DEFAULT_STRATEGY) != Z_OK)
                abort();
        press(&stream, &out, text->bytes, text->length, Z_NO_FLUSH);
        for (uint64_t done = 0; done < spaces; done += PIECE)
                press(&stream, &out, blank, PIECE, Z_NO_FLUSH);
        press(&stream, &out, blank, 0, Z_FINISH);
        deflateEnd(&stream);
        fo_text_fini(text);
        *text = out;
}
