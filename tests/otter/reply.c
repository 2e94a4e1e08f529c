#include "tests/otter/reply.h"

#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "proto/memory.h"
#include "tests/otter/gzip.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define HUGE_BYTES      (UINT64_C(1) << 30)
#define BOMB_BYTES      (UINT64_C(1) << 28)
#define PAUSE_SECONDS   0.2

enum { BLOCK = 65536, SLOW_PIECE = 64 };

/* A body on its way; ours until the connection is done with it. */
struct stream {
        struct fo_text body;
        struct fo_stop *stop;
        uint64_t end; /* of what is sent; after the body, spaces */
        bool broken;  /* and then hangs up */
        size_t piece; /* at a time */
        double pause; /* before each, in seconds */
};

/* How each order sends; the first that is given counts. */
static const struct way {
        const char *words[2]; /* before the page */
        uint64_t spaces;      /* after the body */
        bool packed;          /* those, too, whatever the client accepts */
        bool endless;         /* its length is not told */
        bool halved;
        size_t piece;
        double pause;
} ways[] = {
        { .words = { "truncate" }, .halved = true },
        { .words = { "huge" }, .spaces = HUGE_BYTES, .endless = true },
        { .words = { "bomb" }, .spaces = BOMB_BYTES, .packed = true },
        { .words = { "slow", "body" }, .piece = SLOW_PIECE, .pause = PAUSE_SECONDS },
};

static const struct charset {
        const char *word;
        const char *name; /* to iconv; what it has not becomes "?" */
        const char *type; /* what the answer says */
} charsets[] = {
        { "latin1", "ISO-8859-1//TRANSLIT", "text/html;charset=ISO-8859-1" },
        { "gbk", "GBK//TRANSLIT", "text/html;charset=UTF-8" },
};

static ssize_t send_piece(void *of, uint64_t position, char *out, size_t size)
{
        struct stream *stream = of;
        uint64_t left = stream->end - position;
        size_t length = stream->body.length;

        if (!left)
                return stream->broken ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
        if (stream->pause > 0 && fo_stop_wait(stream->stop, fo_clock_after(stream->pause)))
                return MHD_CONTENT_READER_END_WITH_ERROR;
        if (size > left)
                size = (size_t)left;
        if (size > stream->piece)
                size = stream->piece;
        if (position < length && size > length - position)
                size = length - (size_t)position;
        if (position < length)
                memcpy(out, stream->body.bytes + position, size);
        else
                memset(out, ' ', size);
        return (ssize_t)size;
}

static void free_stream(void *of)
{
        struct stream *stream = of;

        fo_text_fini(&stream->body);
        free(stream);
}

static const struct way *find_way(const struct fo_state *state, const char *page)
{
        for (size_t i = 0; i < COUNT_OF(ways); i++) {
                const char *const *words = ways[i].words;

                if (fo_state_find(state, words[0], words[1] ? words[1] : page, words[1] ? page : NULL))
                        return &ways[i];
        }
        return NULL;
}

static struct MHD_Response *make_response(struct fo_visit *visit, const struct way *way, struct fo_text *body)
{
        struct stream *stream = ob_alloc(1, sizeof(*stream));
        uint64_t told = body->length;

        stream->body = *body;
        memset(body, 0, sizeof(*body));
        stream->stop = &visit->site->stop;
        stream->piece = way && way->piece ? way->piece : BLOCK;
        stream->pause = way ? way->pause : 0;
        stream->end = told;
        if (way && way->endless) {
                stream->end += way->spaces;
                told = MHD_SIZE_UNKNOWN;
        }
        if (way && way->halved) {
                stream->end /= 2;
                stream->broken = true;
        }
        return MHD_create_response_from_callback(told, BLOCK, send_piece, stream, free_stream);
}

static const char *encode(const struct fo_state *state, const char *page, struct fo_text *body)
{
        const struct charset *set = charsets;
        struct fo_text out = { 0 };
        char *from = body->bytes;
        size_t left = body->length;
        size_t room = 2 * body->length + 16;
        iconv_t converter;
        char *to;

        while (set < charsets + COUNT_OF(charsets) && !fo_state_find(state, set->word, page, NULL))
                set++;
        if (set == charsets + COUNT_OF(charsets) || !left)
                return "text/html;charset=UTF-8";
        converter = iconv_open(set->name, "UTF-8");
        if (converter == (iconv_t)-1)
                abort();
        to = fo_text_reserve(&out, room);
        iconv(converter, &from, &left, &to, &room);
        iconv_close(converter);
        out.length = (size_t)(to - out.bytes);
        fo_text_fini(body);
        *body = out;
        return set->type;
}

static bool accepts_gzip(const struct fo_visit *visit)
{
        const char *accepted =
                MHD_lookup_connection_value(visit->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_ENCODING);

        return accepted && strstr(accepted, "gzip");
}

static void add_cookie(struct MHD_Response *response, const char *name, const char *id)
{
        ob_cleanup(fo_text_fini) struct fo_text cookie = { 0 };

        fo_text_addf(&cookie, "%s=%s; path=/; HttpOnly", name, id);
        MHD_add_response_header(response, MHD_HTTP_HEADER_SET_COOKIE, cookie.bytes);
}

static void add_cookies(struct fo_visit *visit, const struct fo_answer *answer, struct MHD_Response *response)
{
        char id[FO_SESSION_SIZE];

        if (!MHD_lookup_connection_value(visit->connection, MHD_COOKIE_KIND, "JSESSIONID")) {
                fo_sessions_name(id);
                add_cookie(response, "JSESSIONID", id);
        }
        if (answer->session[0])
                add_cookie(response, "OTTER_WEBX_JSESSIONID", answer->session);
}

enum MHD_Result fo_reply(struct fo_visit *visit, const char *page, struct fo_answer *answer)
{
        const struct way *way = find_way(&visit->state, page);
        bool packs_spaces = way && way->packed;
        const char *type = encode(&visit->state, page, &answer->body);
        bool endless = way && way->endless; /* its spaces are none of a packed body's */
        bool packed = packs_spaces || (answer->body.length && !endless && accepts_gzip(visit));
        struct MHD_Response *response;
        enum MHD_Result result;

        if (packed)
                fo_gzip(&answer->body, packs_spaces ? way->spaces : 0);
        response = make_response(visit, way, &answer->body);
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
        if (packed)
                MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
        if (answer->location.length)
                MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, answer->location.bytes);
        add_cookies(visit, answer, response);
        result = MHD_queue_response(visit->connection, answer->status, response);
        MHD_destroy_response(response);
        return result;
}
