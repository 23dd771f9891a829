/* faas-gateway: reads its settings, opens the gateway, serves until told to stop. */
#include "gateway/gateway.h"
#include "libfaas/version.h"

#include <stdio.h>
#include <stdlib.h>

extern char **environ;

static int print_help(const struct gw_settings *s)
{
    _cleanup_buf_ struct faas_buf out = {0};

    gw_settings_help(s, &out);
    fwrite(out.data, 1, out.len, stdout);
    return 0;
}

/* The only place where the password is shown, and only when it was made just now. */
static int init_auth(const struct gw_config *cfg, struct faas_error *err)
{
    struct faas_credentials *c;
    bool created;

    if (gw_prepare_state(cfg, &created, err) < 0)
        return -1;
    if (!created) {
        printf("The admin password was made before; it is in %s/basic-auth-password\n",
               cfg->secret_mount_path);
        return 0;
    }
    c = faas_credentials_load(cfg->secret_mount_path, err);
    if (!c)
        return -1;
    printf("Admin password, shown this once: %s\n"
           "Log in with: echo '%s' | faas-cli login --username %s --password-stdin\n",
           faas_credentials_password(c), faas_credentials_password(c), faas_credentials_user(c));
    faas_credentials_free(c);
    return 0;
}

static int serve(const struct gw_settings *s, struct faas_error *err)
{
    struct faas_log log;
    struct gw *gw;
    int rc;

    faas_log_init_stderr(&log, "gateway");
    gw_config_apply_log(s->config, &log);
    gw = gw_new(s, &log, err);
    if (!gw)
        return -1;
    rc = gw_run(gw, err);
    gw_free(gw);
    return rc;
}

int main(int argc, char **argv)
{
    struct gw_settings settings = {0};
    struct faas_error err = {0};
    int rc = gw_settings_load(&settings, argc, argv, environ, &err);

    if (rc == 0 && settings.config->help)
        rc = print_help(&settings);
    else if (rc == 0 && settings.config->version)
        printf("faas-gateway %s (%s)\n", faas_version(), faas_commit());
    else if (rc == 0 && settings.config->init_auth)
        rc = init_auth(settings.config, &err);
    else if (rc == 0)
        rc = serve(&settings, &err);
    gw_settings_deinit(&settings);
    if (rc < 0)
        fprintf(stderr, "faas-gateway: %s\n", err.msg);
    return rc < 0 ? faas_code_exit_status(err.code) : 0;
}
