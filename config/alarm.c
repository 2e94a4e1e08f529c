#include "config/alarm.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "proto/number.h"

#define NUMBER_MOST INT64_C(1000000000)
#define CODE_MAX    32
#define CLASS_MAX   64

/*
 * Matches the beginning of `text` with a form: '#' stands for a whole number, '@' for the number that is wanted,
 * and '*' for everything up to the next space. Returns the end of the match, or NULL when the text begins in
 * another way. The wanted number is returned in `*found` and `*length`.
 */
static const char *match(const char *form, const char *text, const char **found, size_t *length)
{
        for (; *form; form++) {
                const char *from = text;

                if (*form != '#' && *form != '@' && *form != '*') {
                        if (*text++ != *form)
                                return NULL;
                        continue;
                }
                if (*form == '*') {
                        text += strcspn(text, " ");
                        continue;
                }
                text += *form == '#' && *text == '-';
                text += strspn(text, "0123456789");
                if (text == from)
                        return NULL;
                if (*form == '@') {
                        *found = from;
                        *length = (size_t)(text - from);
                }
        }
        return text;
}

static bool find_number(const char *form, const char *text, struct ob_text *out)
{
        const char *found = NULL;
        char digits[OB_NUMBER_MAX];
        size_t length = 0;
        int64_t number;

        if (!match(form, text, &found, &length) || !found || length >= sizeof(digits))
                return false;
        memcpy(digits, found, length);
        digits[length] = '\0';
        if (!ob_number_parse_int(digits, &number) || number > NUMBER_MOST)
                return false;
        ob_text_add(out, found, length);
        return true;
}

bool ob_alarm_delay(const char *text, struct ob_text *out)
{
        return find_number("pid:# delay_time:@ seconds", text, out);
}

bool ob_alarm_no_delay(const char *text, struct ob_text *out)
{
        return find_number("pid:# delay @ seconds no update", text, out) ||
               find_number("pid:# delay_time:# seconds, but delay @ seconds no update", text, out);
}

bool ob_alarm_no_sync(const char *text, struct ob_text *out)
{
        return find_number("pid:# elapsed @ seconds no sync", text, out);
}

bool ob_alarm_process(const char *text, struct ob_text *out)
{
        return find_number("pid:# processIds:* elapsed @ seconds", text, out);
}

bool ob_alarm_position(const char *text, struct ob_text *out)
{
        return find_number("pid:# position @ seconds no update", text, out);
}

bool ob_alarm_no_data(const char *text, struct ob_text *out)
{
        return find_number("pid:# nid:* exception:mainstem:pid:# canal elapsed @ seconds no data", text, out);
}

/* The text after "exception:"; NULL when the alarm is no exception. */
static const char *find_exception(const char *text)
{
        return match("pid:# nid:* exception:", text, NULL, NULL);
}

static bool is_code_char(char c)
{
        return isalnum((unsigned char)c) || c == '_' || c == '-';
}

bool ob_alarm_code(const char *text, struct ob_text *out)
{
        const char *at = find_exception(text);
        size_t length = 0;

        while (at && is_code_char(at[length]))
                length++;
        if (!length || length > CODE_MAX || at[length] != ':')
                return false;
        ob_text_add(out, at, length);
        return true;
}

static bool is_class_char(char c)
{
        return isalnum((unsigned char)c) || c == '_' || c == '$' || c == '.';
}

static bool ends_with(const char *text, size_t length, const char *end)
{
        size_t n = strlen(end);

        return length > n && !memcmp(text + length - n, end, n);
}

/* Whether a word is the name of an exception class. If so, `*at` and `*length` become the name without its package.
 */
static bool is_thrown(const char **at, size_t *length)
{
        size_t last = *length;

        while (last > 0 && (*at)[last - 1] != '.')
                last--;
        *at += last;
        *length -= last;
        return last > 0 && *length <= CLASS_MAX && isupper((unsigned char)**at) &&
               (ends_with(*at, *length, "Exception") || ends_with(*at, *length, "Error") ||
                       ends_with(*at, *length, "Throwable"));
}

/* Adds the first name of an exception class in a text. */
static bool find_class(const char *text, struct ob_text *out)
{
        while (*text) {
                const char *at = text;
                size_t length = 0, n;

                while (is_class_char(text[length]))
                        length++;
                n = length;
                if (n && is_thrown(&at, &n)) {
                        ob_text_add(out, at, n);
                        return true;
                }
                text += length ? length : 1;
        }
        return false;
}

bool ob_alarm_class(const char *text, struct ob_text *out)
{
        static const char cause[] = "Caused by: ";
        const char *last = NULL;

        if (!find_exception(text))
                return false;
        for (const char *at = text; (at = strstr(at, cause)); at += sizeof(cause) - 1)
                last = at + sizeof(cause) - 1;
        return (last && find_class(last, out)) || find_class(text, out);
}

bool ob_alarm_alert(const char *text, struct ob_text *out)
{
        const char *exception = find_exception(text);

        if (!exception)
                ob_text_add_string(out, "warning");
        else
                ob_text_add_string(out, strstr(exception, " recovery successful ") ? "success" : "error");
        return true;
}
