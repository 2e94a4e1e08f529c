#include "agent/source/web/html.h"

#include <libxml/xpath.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/memory.h"
#include "proto/utf8.h"

#define STEPS_MAX 10000000 /* of all XPaths of a document: bounds their time */

struct ob_doc {
        const struct ob_terms *of;
        xmlDoc *html;
        xmlXPathContext *xpath; /* counts the steps */
        struct ob_err *late;    /* ours: why the time was over; NULL: it was not */
        char *heading;          /* ours; "" */
};

void ob_nodes_add(struct ob_nodes *list, xmlNode *node)
{
        list->all = ob_grow(list->all, &list->room, list->n, sizeof(*list->all));
        list->all[list->n++] = node;
}

void ob_nodes_free(struct ob_nodes *list)
{
        free(list->all);
}

static bool has_end(const char *bytes, size_t length)
{
        static const char end[] = "</html>";

        while (length && strchr(" \t\r\n", bytes[length - 1]))
                length--;
        return length >= sizeof(end) - 1 && !strncasecmp(bytes + length - (sizeof(end) - 1), end, sizeof(end) - 1);
}

static int check_bytes(const void *bytes, size_t length, struct ob_err *err)
{
        size_t odd;

        if (length > OB_PAGE_BYTES_MAX)
                return ob_fail(err, "the page is larger than %d bytes", OB_PAGE_BYTES_MAX);
        odd = ob_utf8_find_bad(bytes, length);
        if (odd < length)
                return ob_fail(err, "the page is no UTF-8: byte %zu of %zu", odd + 1, length);
        if (!has_end(bytes, length))
                return ob_fail(err, "the page is cut short: there is no </html> at its end (%zu bytes)", length);
        return 0;
}

static void say_nothing(void *ctx, xmlErrorPtr why)
{
        (void)ctx;
        (void)why;
}

static size_t blank(const char *text)
{
        if (*text == ' ' || (*text >= '\t' && *text <= '\r'))
                return 1;
        return !strncmp(text, "\xc2\xa0", 2) ? 2 : 0;
}

char *ob_doc_tidy(const xmlChar *found)
{
        const char *text = (const char *)found;
        char *made = ob_alloc(strlen(text) + 1, 1);
        size_t n = 0;

        while (*text) {
                size_t skipped = blank(text);

                if (skipped && n && made[n - 1] != ' ')
                        made[n++] = ' ';
                else if (!skipped && (unsigned char)*text >= ' ' && *text != 0x7f)
                        made[n++] = *text;
                text += skipped ? skipped : 1;
        }
        made[n - (n && made[n - 1] == ' ')] = '\0';
        return made;
}

static bool has_time(struct ob_doc *doc)
{
        struct ob_err err;

        if (!doc->late && ob_terms_check(doc->of, &err)) {
                doc->late = ob_alloc(1, sizeof(*doc->late));
                *doc->late = err;
        }
        return !doc->late && doc->xpath->opCount < STEPS_MAX;
}

static xmlXPathObject *find(struct ob_doc *doc, xmlNode *from, const char *path)
{
        if (!has_time(doc))
                return NULL;
        doc->xpath->node = from;
        return xmlXPathEvalExpression((const xmlChar *)path, doc->xpath);
}

int ob_doc_check(const struct ob_doc *doc, struct ob_err *err)
{
        if (doc->late)
                return ob_fail(err, "%s", doc->late->text);
        if (doc->xpath->opCount >= STEPS_MAX)
                return ob_fail(err,
                        "to find its cells takes more than %d steps: make the XPaths of this page simpler, or see what "
                        "answers at page.url",
                        STEPS_MAX);
        return 0;
}

char *ob_doc_text(struct ob_doc *doc, xmlNode *from, const char *path)
{
        xmlXPathObject *found = find(doc, from, path);
        bool is_empty = !found || (found->type == XPATH_NODESET && xmlXPathNodeSetIsEmpty(found->nodesetval));
        xmlChar *text = is_empty ? NULL : xmlXPathCastToString(found);
        char *made = text ? ob_doc_tidy(text) : NULL;

        xmlFree(text);
        xmlXPathFreeObject(found);
        return made;
}

void ob_doc_nodes(struct ob_doc *doc, const char *path, struct ob_nodes *list)
{
        xmlXPathObject *found = find(doc, xmlDocGetRootElement(doc->html), path);

        if (found && found->type == XPATH_NODESET && found->nodesetval)
                for (int i = 0; i < found->nodesetval->nodeNr; i++)
                        if (found->nodesetval->nodeTab[i]->type == XML_ELEMENT_NODE)
                                ob_nodes_add(list, found->nodesetval->nodeTab[i]);
        xmlXPathFreeObject(found);
}

bool ob_doc_is_path(const char *path)
{
        xmlXPathContext *xpath = xmlXPathNewContext(NULL);
        xmlXPathCompExpr *made;

        if (!xpath)
                return false;
        xpath->error = say_nothing;
        made = xmlXPathCtxtCompile(xpath, (const xmlChar *)path);
        xmlXPathFreeCompExpr(made);
        xmlXPathFreeContext(xpath);
        return made != NULL;
}

/* The manager's answers that are not the page. */
static const struct {
        const char *sign, *what;
} others[] = {
        { "//input[@name='_fm.l._0.n']", "it is the login page" },
        { "//div[@class='error_forbidden']", "it is the page that says \"forbidden\"" },
        { "//div[@class='title'][contains(., '对不起')]", "it is the manager's error page" },
};

static int check_kind(struct ob_doc *doc, struct ob_err *err)
{
        for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
                ob_cleanup(ob_free_at) char *found =
                        ob_doc_text(doc, xmlDocGetRootElement(doc->html), others[i].sign);

                if (found)
                        return ob_fail(err, "%s", others[i].what);
        }
        return 0;
}

struct ob_doc *ob_doc_parse(const void *bytes, size_t length, const struct ob_terms *of, struct ob_err *err)
{
        ob_cleanup(ob_doc_free_at) struct ob_doc *doc = ob_alloc(1, sizeof(*doc));

        doc->of = of;
        if (check_bytes(bytes, length, err))
                return NULL;
        doc->html = ob_tree_parse(bytes, length, of, err);
        if (!doc->html)
                return NULL;
        doc->xpath = xmlXPathNewContext(doc->html);
        if (!doc->xpath)
                abort();                  /* no memory */
        xmlXPathOrderDocElems(doc->html); /* else comparing two positions takes as long as the nodes between */
        doc->xpath->error = say_nothing;
        doc->xpath->opLimit = STEPS_MAX;
        if (check_kind(doc, err))
                return NULL;
        doc->heading = ob_doc_text(doc, xmlDocGetRootElement(doc->html), "//h2");
        return ob_doc_check(doc, err) ? NULL : ob_take(doc);
}

void ob_doc_free(struct ob_doc *doc)
{
        if (!doc)
                return;
        xmlXPathFreeContext(doc->xpath);
        xmlFreeDoc(doc->html);
        free(doc->heading);
        free(doc->late);
        free(doc);
}

void ob_doc_free_at(struct ob_doc **doc)
{
        ob_doc_free(*doc);
}

const char *ob_doc_heading(const struct ob_doc *doc)
{
        return doc->heading ? doc->heading : "";
}
