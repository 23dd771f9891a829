#include "cli/commands.h"

#include "cli/embedded.h"
#include "cli/out.h"
#include "cli/save.h"
#include "cli/stack_edit.h"
#include "cli/template.h"
#include "cli/template_ensure.h"
#include "libfaas/alloc.h"
#include "libfaas/api_types.h"
#include "libfaas/file.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

struct options {
    struct cli_connect connect;
    struct cli_resource_options resources;
    char *lang;
    char *handler;
    char *prefix;
    char *append;
    bool list;
    bool quiet;
};

static const struct cli_flag flags[] = {
    {.name = "lang",
     .type = CLI_STRING,
     .at = offsetof(struct options, lang),
     .arg = "TEMPLATE",
     .help = "language template: one of ./template, or one that comes with faas-cli"},
    {.name = "handler",
     .type = CLI_STRING,
     .at = offsetof(struct options, handler),
     .arg = "FOLDER",
     .shown_default = "the function's name",
     .help = "folder to make for the handler"},
    {.name = "prefix",
     .letter = 'p',
     .type = CLI_STRING,
     .at = offsetof(struct options, prefix),
     .arg = "PREFIX",
     .shown_default = "$OPENFAAS_PREFIX",
     .help = "what goes before the image's name, such as ghcr.io/me"},
    {.name = "append",
     .letter = 'a',
     .type = CLI_STRING,
     .at = offsetof(struct options, append),
     .arg = "FILE",
     .help = "stack file to add the function to"},
    {.name = "list",
     .type = CLI_BOOL,
     .at = offsetof(struct options, list),
     .help = "list the templates in ./template"},
    {.name = "quiet",
     .letter = 'q',
     .type = CLI_BOOL,
     .at = offsetof(struct options, quiet),
     .help = "do not show the template's notes"},
    {0},
};

enum { MAX_FILE = 8 << 20 };

/* Everything that is known before anything is written. */
struct plan {
    const struct options *o;
    const char *name;
    const char *lang;
    const char *handler;
    const char *file; /* stack file to write */
    bool append;
    struct faas_buf old_text; /* of the file that is appended to */
    struct cli_template template_;
};

static int no_templates(struct faas_error *err)
{
    _cleanup_strv_ struct faas_strv names = {0};
    _cleanup_buf_ struct faas_buf known = {0};

    cli_embedded_names(&names);
    faas_strv_for_each(&names, name) faas_buf_printf(&known, "%s%s", known.len ? "|" : "", *name);
    return faas_fail(err, FAAS_ERR_NOT_FOUND,
                     "there is no ./template folder yet. One is unpacked by: faas-cli new NAME "
                     "--lang %s",
                     known.data);
}

static int list_templates(struct faas_error *err)
{
    _cleanup_strv_ struct faas_strv names = {0};

    if (cli_template_list(&names, NULL) < 0)
        return no_templates(err);
    cli_print("Languages available as templates:\n");
    faas_strv_for_each(&names, name) cli_print("- %s\n", *name);
    cli_print("\n");
    return 0;
}

static int choose_file(const struct cli *cli, struct plan *p, struct faas_error *err)
{
    const char *dflt = cli_stack_default_file();

    p->append = p->o->append && *p->o->append;
    if (p->append) {
        struct faas_str name = faas_str_from(p->o->append);

        p->file = p->o->append;
        if (!faas_str_ends(name, FAAS_STR(".yml")) && !faas_str_ends(name, FAAS_STR(".yaml")))
            return faas_fail(err, FAAS_ERR_INVALID, "--append %s: must end in .yml or .yaml",
                             p->file);
        return faas_file_read(p->file, MAX_FILE, &p->old_text, err);
    }
    p->file = cli->yaml && *cli->yaml ? cli->yaml : dflt ? dflt : "stack.yaml";
    if (*p->file == '/')
        return faas_fail(err, FAAS_ERR_INVALID, "--yaml %s: must be relative here", p->file);
    if (faas_file_exists(p->file))
        return faas_fail(err, FAAS_ERR_CONFLICT,
                         "file %s exists already; add the function to it with --append %s", p->file,
                         p->file);
    return 0;
}

static int choose_handler(struct plan *p, struct faas_error *err)
{
    p->handler = p->o->handler && *p->o->handler ? p->o->handler : p->name;
    while (strncmp(p->handler, "./", 2) == 0)
        p->handler += 2;
    if (faas_file_exists(p->handler))
        return faas_fail(err, FAAS_ERR_CONFLICT, "folder %s exists already", p->handler);
    return 0;
}

/* The file that the function is added to may say where templates come from. Whether it can be read
 * is found out later, where it is told. */
static int ensure_template(const struct plan *p, struct faas_error *err)
{
    _cleanup_stack_ struct cli_stack stack = {0};
    struct cli_template_origin from = {0};

    if (p->append && cli_stack_parse(&stack, faas_buf_str(&p->old_text), p->file, NULL, NULL) == 0)
        from.stack = &stack;
    return cli_template_ensure(p->lang, &from, err);
}

static int make_plan(const struct cli *cli, struct plan *p, struct faas_error *err)
{
    if (faas_validate_name("a function's name", faas_str_from(p->name), err) < 0)
        return -1;
    p->lang = cli_is_dockerfile(p->o->lang) ? "dockerfile" : p->o->lang;
    if (choose_file(cli, p, err) < 0 || choose_handler(p, err) < 0)
        return -1;
    if (ensure_template(p, err) < 0)
        return -1;
    return cli_template_load(&p->template_, p->lang, err);
}

/* Heap. */
static char *image_of(const struct plan *p)
{
    const char *prefix = p->o->prefix ? p->o->prefix : getenv("OPENFAAS_PREFIX");
    struct faas_str kept = faas_str_trim(faas_str_from(prefix ? prefix : ""));

    while (kept.len > 0 && kept.ptr[kept.len - 1] == '/')
        kept.len--;
    return faas_asprintf("%.*s%s%s:latest", FAAS_STR_FMT(kept), kept.len ? "/" : "", p->name);
}

/* The stack file's text, made before anything is written so that nothing is left half done. */
static int compose(const struct plan *p, struct faas_buf *out, struct faas_error *err)
{
    _cleanup_free_ char *image = image_of(p);
    _cleanup_free_ char *gateway = cli_connect_gateway(&p->o->connect, NULL, err);
    const struct cli_new_function fn = {.name = p->name,
                                        .lang = p->lang,
                                        .handler = p->handler,
                                        .image = image,
                                        .resources = &p->o->resources};

    if (!gateway)
        return -1;
    if (p->append)
        return cli_stack_append(out, faas_buf_str(&p->old_text), p->file, &fn, err);
    cli_stack_write(out, gateway, &fn);
    return 0;
}

/* Copies what is in a folder of the template, not the folder. */
static int copy_content(const struct plan *p, const char *folder, struct faas_error *err)
{
    _cleanup_free_ char *source = faas_asprintf("%s/%s", p->template_.dir, folder);
    DIR *dir = opendir(source);
    struct dirent *entry;
    int rc = 0;

    if (!dir)
        return faas_fail_errno(err, FAAS_ERR_NOT_FOUND, errno, "%s", source);
    while (rc == 0 && (entry = readdir(dir))) {
        _cleanup_free_ char *from = faas_asprintf("%s/%s", source, entry->d_name);
        _cleanup_free_ char *to = faas_asprintf("%s/%s", p->handler, entry->d_name);

        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            rc = faas_copy_tree(from, to, err);
    }
    closedir(dir);
    return rc;
}

static int make_handler(const struct plan *p, struct faas_error *err)
{
    if (mkdir(p->handler, 0700) < 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "cannot make folder %s", p->handler);
    cli_print("Folder: %s created.\n", p->handler);
    if (copy_content(p, p->template_.handler_folder, err) < 0)
        return -1;
    return p->template_.example_folder ? copy_content(p, p->template_.example_folder, err) : 0;
}

static bool has_line(struct faas_str text, const char *wanted)
{
    while (text.ptr)
        if (faas_str_eqz(faas_str_trim(faas_str_split(&text, '\n')), wanted))
            return true;
    return false;
}

/* What builds leave behind, and secrets, are not for the repository. */
static int update_gitignore(struct faas_error *err)
{
    static const char file[] = ".gitignore";
    static const char *const lines[] = {"template", "build", ".secrets"};
    _cleanup_buf_ struct faas_buf old = {0};
    _cleanup_buf_ struct faas_buf text = {0};
    struct faas_error why = {0};

    if (faas_file_read(file, MAX_FILE, &old, &why) < 0 && why.code != FAAS_ERR_NOT_FOUND)
        return faas_fail(err, why.code, "%s", why.msg);
    faas_buf_append_str(&text, faas_str_trim(faas_buf_str(&old)));
    for (size_t i = 0; i < FAAS_ARRAY_LEN(lines); i++)
        if (!has_line(faas_buf_str(&old), lines[i]))
            faas_buf_printf(&text, "%s%s", text.len ? "\n" : "", lines[i]);
    faas_buf_append_c(&text, '\n');
    if (faas_str_eq(faas_buf_str(&text), faas_buf_str(&old)))
        return 0;
    return cli_save(file, faas_buf_str(&text), 0644, err);
}

static void tell(const struct plan *p)
{
    _cleanup_buf_ struct faas_buf logo = {0};

    cli_logo_write(&logo);
    cli_paint(stdout, CLI_BLUE, "%s", logo.data);
    cli_print("\nFunction created in folder: %s\n", p->handler);
    cli_print("Stack file %s: %s\n", p->append ? "updated" : "written", p->file);
    if (!p->o->quiet && p->template_.welcome_message)
        cli_print("\nNotes:\n%s\n", p->template_.welcome_message);
}

static mode_t mode_of(const char *file)
{
    struct stat st;

    return stat(file, &st) == 0 ? st.st_mode & 0777 : 0600;
}

static int carry_out(const struct plan *p, struct faas_error *err)
{
    _cleanup_buf_ struct faas_buf text = {0};

    if (compose(p, &text, err) < 0 || make_handler(p, err) < 0 || update_gitignore(err) < 0 ||
        cli_save(p->file, faas_buf_str(&text), mode_of(p->file), err) < 0)
        return -1;
    tell(p);
    return 0;
}

static void show_own_help(const struct cli *cli)
{
    _cleanup_buf_ struct faas_buf text = {0};

    cli_help_write(&text, cli->command, cli->path);
    cli_write(faas_buf_str(&text));
}

static int run(struct cli *cli, void *options, struct faas_error *err)
{
    const struct options *o = options;
    struct plan plan = {.o = o};
    int rc;

    if (o->list)
        return list_templates(err);
    if (cli->args.len == 0 && !o->lang) {
        show_own_help(cli);
        return 0;
    }
    if (cli->args.len == 0)
        return faas_fail(err, FAAS_ERR_INVALID, "give a name for the function");
    if (!o->lang || !*o->lang)
        return faas_fail(err, FAAS_ERR_INVALID, "give a template with --lang");
    plan.name = cli->args.items[0];
    rc = make_plan(cli, &plan, err);
    if (rc == 0)
        rc = carry_out(&plan, err);
    cli_template_deinit(&plan.template_);
    faas_buf_deinit(&plan.old_text);
    return rc;
}

const struct cli_command cli_cmd_new = {
    .name = "new",
    .args = "NAME",
    .max_args = 1,
    .summary = "Make a new function",
    .description =
        "Makes a folder with a handler to start from, and a stack file (or with --append "
        "an entry in one). A template that is not in ./template is unpacked, when it is one that "
        "comes with faas-cli (docs/templates.md lists them), or else fetched from the repository "
        "that the template store knows.",
    .example = "faas-cli new hello --lang python3\n"
               "faas-cli new hello-again --lang node --append stack.yaml",
    .options_size = sizeof(struct options),
    .flags = {{flags, 0},
              {cli_resource_flags, offsetof(struct options, resources)},
              {cli_gateway_flags_alone, offsetof(struct options, connect)}},
    .run = run,
};
