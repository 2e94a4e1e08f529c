#include "config/secret.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "config/file.h"

int ob_secret_read(const char *file, char secret[OB_SECRET_MAX], struct ob_err *err)
{
        FILE *f = ob_file_read(file, err);
        bool is_read;
        size_t length;

        *secret = '\0';
        if (!f)
                return -1;
        setvbuf(f, NULL, _IONBF, 0); /* no copy in a buffer */
        is_read = fgets(secret, OB_SECRET_MAX, f) != NULL;
        fclose(f);
        if (!is_read)
                return ob_fail(err, "%s: the file is empty", file);
        length = strlen(secret);
        secret[strcspn(secret, "\r\n")] = '\0';
        if (length < OB_SECRET_MAX - 1)
                return 0;
        explicit_bzero(secret, OB_SECRET_MAX);
        return ob_fail(err, "%s: the first line is too long", file);
}

void ob_secret_now(const char *file, const char *known, char secret[OB_SECRET_MAX])
{
        struct ob_err err;

        if (!*file || ob_secret_read(file, secret, &err))
                snprintf(secret, OB_SECRET_MAX, "%s", known);
}
