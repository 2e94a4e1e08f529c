/*
 * libxml2 compares each attribute of a tag with all others of the tag before it calls a handler. It fetches the
 * bytes of a page in pieces, also in the middle of a tag. So the bytes that libxml2 has fetched since its last
 * call of a handler bound the current tag or comment. When a bound is exceeded, the page ends there for libxml2,
 * and the tree is freed.
 */
#include "agent/source/web/page_tree.h"

#include <libxml/HTMLparser.h>
#include <string.h>

#include "agent/process/clock.h"

/* The least bytes that libxml2 allocates, measured, with malloc's overhead. */
#define ELEMENT_BYTES   160
#define ATTRIBUTE_BYTES 304
#define TEXT_BYTES      160

#define NAMES_MAX 64 /* of attributes; when paths name more, all are kept */
#define STRANGE   "; no page of Otter's is like that: see what answers at page.url"

/* The attributes that paths name; borrowed from the paths. */
struct names {
        struct {
                const char *at;
                size_t length;
        } all[NAMES_MAX];
        size_t n;
        bool is_every; /* all attributes are kept */
};

struct tree {
        const struct ob_terms *of;
        struct names names;
        const char *bytes;
        size_t length, given; /* to libxml2 */
        size_t reported;      /* `given` at the last call of a handler */
        size_t cost;
        xmlSAXHandler sax; /* libxml2's own */
        const xmlChar *kept[2 * OB_TREE_ATTRIBUTES_MAX + 2];
        struct ob_err *err;
        bool is_refused;
};

int ob_terms_check(const struct ob_terms *of, struct ob_err *err)
{
        if (of->stop && ob_stop_is_wanted(of->stop))
                return ob_fail(err, "the agent stops");
        if (ob_clock_ms() > of->deadline)
                return ob_fail(err, "it could not be read in page.timeout seconds" STRANGE);
        return 0;
}

/* Adds the name after "@". */
static void note_name(struct names *names, const char *at)
{
        size_t length = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:");

        for (size_t i = 0; i < names->n; i++)
                if (names->all[i].length == length && !strncmp(names->all[i].at, at, length))
                        return;
        if (!length || at[length] == '(' || names->n == NAMES_MAX) {
                names->is_every = true;
                return;
        }
        names->all[names->n].at = at;
        names->all[names->n++].length = length;
}

static void note_names(struct names *names, const char *path)
{
        if (!path)
                return;
        if (strstr(path, "attribute"))
                names->is_every = true;
        for (const char *at = strchr(path, '@'); at; at = strchr(at + 1, '@'))
                note_name(names, at + 1);
}

static void find_names(struct names *names, const struct ob_terms *of)
{
        note_names(names, "@class @name"); /* by which the manager's login and error pages are recognised */
        names->is_every = !of->n_pages;
        for (size_t i = 0; i < of->n_pages; i++) {
                note_names(names, of->pages[i].rows);
                for (unsigned c = 0; c < of->pages[i].n_columns; c++)
                        note_names(names, of->pages[i].columns[c].path);
        }
}

static bool is_asked(const struct names *names, const char *name)
{
        size_t length = strlen(name);

        for (size_t i = 0; i < names->n; i++)
                if (names->all[i].length == length && !memcmp(names->all[i].at, name, length))
                        return true;
        return names->is_every;
}

static struct tree *tree_of(void *ctx)
{
        return ((htmlParserCtxtPtr)ctx)->_private;
}

/* Adds the cost of a handler's call. False: the rest of the page is ignored. */
static bool is_wanted(struct tree *t, size_t cost)
{
        t->reported = t->given;
        t->cost += cost;
        if (t->is_refused)
                return false;
        if (t->cost > OB_TREE_MEMORY_MAX)
                t->is_refused = ob_fail(
                        t->err, "its tags and texts take more than %d MiB" STRANGE, OB_TREE_MEMORY_MAX >> 20);
        return !t->is_refused;
}

/* Puts the attributes that paths name into `kept`. Returns their cost, which may be 0. */
static size_t keep_attributes(struct tree *t, const xmlChar **attributes)
{
        size_t cost = 0, n = 0;

        for (size_t i = 0; attributes && attributes[i] && !t->is_refused; i += 2) {
                if (i == 2 * OB_TREE_ATTRIBUTES_MAX) {
                        t->is_refused = ob_fail(
                                t->err, "a tag has more than %d attributes" STRANGE, OB_TREE_ATTRIBUTES_MAX);
                } else if (is_asked(&t->names, (const char *)attributes[i])) {
                        t->kept[n++] = attributes[i];
                        t->kept[n++] = attributes[i + 1];
                        cost += ATTRIBUTE_BYTES + (attributes[i + 1] ? strlen((const char *)attributes[i + 1]) : 0);
                }
        }
        t->kept[n] = t->kept[n + 1] = NULL;
        return cost;
}

static void begin_element(void *ctx, const xmlChar *name, const xmlChar **attributes)
{
        struct tree *t = tree_of(ctx);
        size_t cost = keep_attributes(t, attributes);

        if (!is_wanted(t, ELEMENT_BYTES + cost))
                return;
        t->sax.startElement(ctx, name, *t->kept ? t->kept : NULL);
        if (((htmlParserCtxtPtr)ctx)->nodeNr > OB_TREE_DEPTH_MAX)
                t->is_refused = ob_fail(t->err, "its tags are nested deeper than %d" STRANGE, OB_TREE_DEPTH_MAX);
}

static void end_element(void *ctx, const xmlChar *name)
{
        struct tree *t = tree_of(ctx);

        if (is_wanted(t, 0))
                t->sax.endElement(ctx, name);
}

/* Long texts come in pieces, which libxml2 joins in a buffer that doubles. */
static void add_text(void *ctx, const xmlChar *text, int length)
{
        struct tree *t = tree_of(ctx);

        if (is_wanted(t, TEXT_BYTES + 2 * (size_t)length))
                t->sax.characters(ctx, text, length);
}

static void add_raw(void *ctx, const xmlChar *text, int length)
{
        struct tree *t = tree_of(ctx);

        if (is_wanted(t, TEXT_BYTES + 2 * (size_t)length))
                t->sax.cdataBlock(ctx, text, length);
}

/* No path reads comments. */
static void skip_comment(void *ctx, const xmlChar *text)
{
        (void)text;
        is_wanted(tree_of(ctx), 0);
}

static void skip_instruction(void *ctx, const xmlChar *target, const xmlChar *data)
{
        (void)target;
        (void)data;
        is_wanted(tree_of(ctx), 0);
}

/* Gives some thousand bytes at a time, to check the clock often enough. */
static int give_bytes(void *arg, char *out, int room)
{
        struct tree *t = arg;
        size_t n = t->length - t->given;

        if (!t->is_refused && t->given - t->reported > OB_TREE_TOKEN_MAX)
                t->is_refused =
                        ob_fail(t->err, "a tag or comment is longer than %d bytes" STRANGE, OB_TREE_TOKEN_MAX);
        if (!t->is_refused)
                t->is_refused = ob_terms_check(t->of, t->err);
        if (t->is_refused)
                return 0;
        n = n > (size_t)room ? (size_t)room : n;
        memcpy(out, t->bytes + t->given, n);
        t->given += n;
        return (int)n;
}

static int close_nothing(void *arg)
{
        (void)arg;
        return 0;
}

static void watch(htmlParserCtxtPtr parser, struct tree *t)
{
        t->sax = *parser->sax;
        parser->_private = t;
        parser->sax->startElement = begin_element;
        parser->sax->endElement = end_element;
        parser->sax->characters = parser->sax->ignorableWhitespace = add_text;
        parser->sax->cdataBlock = add_raw;
        parser->sax->comment = skip_comment;
        parser->sax->processingInstruction = skip_instruction;
}

xmlDoc *ob_tree_parse(const void *bytes, size_t length, const struct ob_terms *of, struct ob_err *err)
{
        static const int options = HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
                                   HTML_PARSE_NONET | HTML_PARSE_COMPACT;
        struct tree t = { .of = of, .bytes = bytes, .length = length, .err = err };
        htmlParserCtxtPtr parser = htmlNewParserCtxt();
        xmlDoc *doc = NULL;

        if (parser) {
                find_names(&t.names, of);
                watch(parser, &t);
                doc = htmlCtxtReadIO(parser, give_bytes, close_nothing, &t, NULL, "UTF-8", options);
                htmlFreeParserCtxt(parser);
        }
        if (!t.is_refused && doc && xmlDocGetRootElement(doc))
                return doc;
        xmlFreeDoc(doc);
        if (!t.is_refused)
                ob_fail(err, "the page is no HTML");
        return NULL;
}
