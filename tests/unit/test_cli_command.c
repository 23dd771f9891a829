/* The command table itself: what its rows promise must hold for every command. */
#include "cli/cli.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

static void for_each_command(const struct cli_command *c, void (*check)(const struct cli_command *))
{
    check(c);
    for (const struct cli_command *const *sub = c->subcommands; sub && *sub; sub++)
        for_each_command(*sub, check);
}

static void check_texts(const struct cli_command *c)
{
    if (!c->name || !c->summary || !c->description || !c->example)
        fail_msg("%s lacks a text", c->name);
    if (strncmp(c->example, "faas-cli", 8) != 0 && !strstr(c->example, "| faas-cli"))
        fail_msg("%s: an example must be typeable", c->name);
    if (c->summary[strlen(c->summary) - 1] == '.')
        fail_msg("%s: a summary has no full stop", c->name);
    if (!c->run && !c->subcommands)
        fail_msg("%s does nothing", c->name);
    if (c->min_args > c->max_args || (c->max_args > 0) != (c->args != NULL))
        fail_msg("%s: arguments", c->name);
}

static void every_command_has_its_texts(void **state)
{
    (void)state;
    for_each_command(&cli_root, check_texts);
}

static void check_pair(const struct cli_command *c, const struct cli_flag *a,
                       const struct cli_flag *b)
{
    bool same_name = strcmp(a->name, b->name) == 0;

    if (a->letter && a->letter == b->letter && !same_name)
        fail_msg("%s: -%c is both %s and %s", c->name, a->letter, a->name, b->name);
    if (!same_name)
        return;
    if (a->type != b->type || a->letter != b->letter ||
        strcmp(a->dflt ? a->dflt : "", b->dflt ? b->dflt : "") != 0)
        fail_msg("%s: the two rows of --%s differ", c->name, a->name);
}

static size_t size_of(enum cli_flag_type type)
{
    switch (type) {
    case CLI_BOOL:
        return sizeof(bool);
    case CLI_STRING:
        return sizeof(char *);
    case CLI_INT:
    case CLI_DURATION:
        return sizeof(int64_t);
    case CLI_LIST:
        return sizeof(struct faas_strv);
    case CLI_PAIRS:
        return sizeof(struct faas_map);
    }
    return SIZE_MAX;
}

static void check_row(const struct cli_command *c, const struct cli_flag *flag, size_t base,
                      size_t size)
{
    if (!flag->help)
        fail_msg("%s: --%s has no help", c->name, flag->name);
    if ((flag->type != CLI_BOOL) != (flag->arg != NULL))
        fail_msg("%s: --%s: only values have names", c->name, flag->name);
    if (base + flag->at + size_of(flag->type) > size)
        fail_msg("%s: --%s lies outside of the options", c->name, flag->name);
    for (const struct cli_flag *g = cli_global_flags; g->name; g++)
        check_pair(c, flag, g);
}

static void check_flags(const struct cli_command *c)
{
    for (size_t i = 0; i < CLI_MAX_GROUPS && c->flags[i].rows; i++) {
        for (const struct cli_flag *a = c->flags[i].rows; a->name; a++) {
            check_row(c, a, c->flags[i].base, c->options_size);
            for (size_t j = i; j < CLI_MAX_GROUPS && c->flags[j].rows; j++)
                for (const struct cli_flag *b = c->flags[j].rows; b->name; b++)
                    check_pair(c, a, b);
        }
    }
}

static void flags_do_not_contradict_each_other(void **state)
{
    (void)state;
    for_each_command(&cli_root, check_flags);
}

static void check_defaults(const struct cli_command *c)
{
    struct cli_flag_set sets[CLI_MAX_GROUPS];
    char *options = calloc(1, c->options_size + 1);
    size_t n = 0;

    for (size_t i = 0; i < CLI_MAX_GROUPS && c->flags[i].rows; i++)
        sets[n++] = (struct cli_flag_set){c->flags[i].rows, options + c->flags[i].base};
    cli_flags_init(sets, n); /* aborts on a default that cannot be read */
    cli_flags_deinit(sets, n);
    free(options);
}

static void every_default_can_be_read(void **state)
{
    (void)state;
    for_each_command(&cli_root, check_defaults);
}

static void help_shows_every_flag_once(void **state)
{
    const struct cli_command *up = cli_command_find(&cli_root, "up");
    _cleanup_buf_ struct faas_buf text = {0};
    const char *first;

    (void)state;
    cli_help_write(&text, up, "faas-cli up");
    first = strstr(text.data, "--parallel");
    assert_non_null(first);
    assert_null(strstr(first + 1, "--parallel"));
    assert_non_null(strstr(text.data, "--skip-push"));
    assert_non_null(strstr(text.data, "\nExample:\n  faas-cli up\n"));
}

static void commands_are_found_by_their_aliases(void **state)
{
    const struct cli_command *secret = cli_command_find(&cli_root, "secret");

    (void)state;
    assert_ptr_equal(cli_command_find(&cli_root, "rm"), cli_command_find(&cli_root, "remove"));
    assert_ptr_equal(cli_command_find(secret, "u"), cli_command_find(secret, "update"));
    assert_null(cli_command_find(&cli_root, "u"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_has_its_texts),
        cmocka_unit_test(flags_do_not_contradict_each_other),
        cmocka_unit_test(every_default_can_be_read),
        cmocka_unit_test(help_shows_every_flag_once),
        cmocka_unit_test(commands_are_found_by_their_aliases),
    };
    return cmocka_run_group_tests_name("cli_command", tests, NULL, NULL);
}
