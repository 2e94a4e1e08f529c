/* Who asks for the status page, as headers say it in all the ways that the standard allows. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "agent/status/auth.h"

static const struct {
        const char *header, *user, *password; /* NULL: refused */
} cases[] = {
        { "Basic dXNlcjpwYXNz", "user", "pass" }, { "basic dXNlcjpwYXNz", "user", "pass" },
        { "BASIC   dXNlcjpwYXNz", "user", "pass" }, { "Basic dTpwOnc=", "u", "p:w" },
        { "Basic dTpwdw==", "u", "pw" }, { "Basic dTpwdw", "u", "pw" }, { "Basic Og==", "", "" },
        { "Basic w7w6wqc/Kys=", "\xc3\xbc", "\xc2\xa7?++" }, { NULL }, { "" }, { "Basic" }, { "Basic " },
        { "Basicdtpwdw==" }, { "Bearer dTpwdw==" }, { "Basic dTpwd" }, { "Basic dTpwdw=" }, { "Basic dTpwdw===" },
        { "Basic dTp wdw==" }, { "Basic dTp*dw==" }, { "Basic dXNlcg==" }, /* there is no colon */
        { "Basic dTpwAHc=" },                                              /* a NUL */
};

static void a_header_names_user_and_password(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                const char *password = NULL;
                char *user = NULL;
                bool got = ob_status_credentials(cases[i].header, &user, &password);

                if (got != (cases[i].user != NULL))
                        fail_msg("%s", cases[i].header);
                if (got && (strcmp(user, cases[i].user) != 0 || strcmp(password, cases[i].password) != 0))
                        fail_msg("%s: \"%s\" \"%s\"", cases[i].header, user, password);
                free(user);
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_header_names_user_and_password),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
