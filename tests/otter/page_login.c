#include <stdlib.h>
#include <string.h>

#include "proto/memory.h"
#include "tests/otter/layout.h"
#include "tests/otter/screens.h"
#include "tests/otter/template.h"

static const char login[] =
        "\n"
        "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\""
        " \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n"
        "<html xmlns=\"http://www.w3.org/1999/xhtml\">\n"
        "<head>\n"
        "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\" />\n"
        "<title>Otter Manager</title>\n"
        "</head>\n"
        "<body class=\"login\">\n"
        "   <div class=\"login_container\">\n"
        "\t\t <form method=\"post\" name=\"login\">\n"
        "              <input type=\"hidden\" name=\"action\" value=\"user_action\"/>\n"
        "              <input type=\"hidden\" name=\"event_submit_do_login\" value=\"1\" />\n"
        "\t\t\t<table border=\"0\" cellspacing=\"0\" cellpadding=\"0\">\n"
        "\t\t\t\t                <tr>\n"
        "                   <td align=\"right\">用户名：</td>\n"
        "                   <td><input name=\"_fm.l._0.n\" value=\"$!name\" type=\"text\" class=\"login_input\"/></td>\n"
        "                </tr>\n"
        "                <tr>\n"
        "                   <td align=\"right\">密码：</td>\n"
        "                  <td><input name=\"_fm.l._0.p\" type=\"password\" class=\"login_input\"/></td>\n"
        "                </tr>\n"
        "\t\t\t\t<br />\n"
        "                <span class=\"red\">  $!complaint  </span>\n"
        "                <tr>\n"
        "                    <td>&nbsp;</td>\n"
        "                    <td><a href=\"javascript:document.login.submit();\">登&nbsp;&nbsp;&nbsp;录</a></td>\n"
        "                </tr>\n"
        "\t\t\t</table>\n"
        "         </form>\n"
        "   </div>\n"
        "</body>\n"
        "</html>\n";

static const char ok[] = "\n\nserver is ok!\n\n    server is ok!\n";

static const char forbidden[] = "\n"
                                "<div class=\"main\">\n"
                                "<div class=\"error_forbidden\"></div>\n"
                                "</div>\n";

static void decode(char *text)
{
        for (char *at = text; *at; at++) {
                if (*at == '+')
                        *at = ' ';
        }
        MHD_http_unescape(text);
}

/* A copy of a field of the form; NULL when it is not there. */
static char *field(const struct fo_visit *visit, const char *name)
{
        char *form = ob_copy(visit->form.length ? visit->form.bytes : "");
        char *rest = form;
        char *found = NULL;
        char *value;

        while (!found && (value = strsep(&rest, "&"))) {
                char *key = strsep(&value, "=");

                decode(key);
                if (value && strcmp(key, name) == 0) {
                        decode(value);
                        found = ob_copy(value);
                }
        }
        free(form);
        return found;
}

/* The form is only looked at when it says that it is one. */
static bool is_right(const struct fo_visit *visit, const char *name)
{
        static const char *const names[] = { "action", "event_submit_do_login", "_fm.l._0.p" };
        const struct fo_options *options = visit->site->options;
        const char *const wanted[] = { "user_action", "1", options->login_password };

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                ob_cleanup(ob_free_at) char *value = field(visit, names[i]);

                if (!value || strcmp(value, wanted[i]) != 0)
                        return false;
        }
        return name && strcmp(name, options->login) == 0;
}

static void show_form(const char *name, const char *complaint, struct fo_answer *answer)
{
        ob_cleanup(fo_text_fini) struct fo_text page = { 0 };
        const struct fo_value values[] = {
                { .name = "name", .value = name },
                { .name = "complaint", .value = complaint },
                { 0 },
        };

        fo_template_add(&page, login, values);
        fo_template_add_dos(&answer->body, &page);
}

void fo_screen_login(struct fo_visit *visit, struct fo_answer *answer)
{
        ob_cleanup(ob_free_at) char *name = field(visit, "_fm.l._0.n");
        const char *done = fo_visit_query(visit, "done");

        answer->status = MHD_HTTP_OK;
        if (strcmp(visit->method, "POST") != 0) {
                show_form(NULL, NULL, answer);
                return;
        }
        if (!is_right(visit, name)) {
                show_form(name, "用户名或密码不正确", answer);
                return;
        }
        fo_sessions_begin(&visit->site->sessions, answer->session);
        answer->status = MHD_HTTP_FOUND;
        if (done && *done)
                fo_text_add(&answer->location, done);
        else
                fo_text_addf(&answer->location, "%s/channel_list.htm", visit->site->address);
}

void fo_screen_ok(struct fo_visit *visit, struct fo_answer *answer)
{
        (void)visit;
        answer->status = MHD_HTTP_OK;
        fo_text_add(&answer->body, ok);
}

int fo_screen_forbidden(struct fo_visit *visit, struct fo_text *screen)
{
        fo_layout_add_screen(visit, forbidden, screen);
        return 0;
}
