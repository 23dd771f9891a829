#include "cli/cli.h"
#include "cli/complete.h"
#include "cli/completion.h"
#include "cli/man.h"
#include "tests/unit/unit.h"

enum { MAX_WORDS = 8 };

struct line {
    const char *words[MAX_WORDS]; /* the last before NULL is being typed */
    const char *offers;           /* without descriptions, each with a blank behind it */
    enum cli_completes names;
};

static const struct line lines[] = {
    {{"des"}, "describe "},
    {{"xyz"}, ""},
    {{"namespace", ""}, "list create get update remove "},
    {{"ns", "g"}, "get "},
    {{"ns", "get", ""}, "", CLI_NAMESPACES},
    {{"ns", "get", "dev", ""}, ""},
    {{"queue", "redrive", ""}, "", CLI_QUEUES},
    {{"describe", ""}, "", CLI_FUNCTIONS},
    {{"describe", "--json", "fig"}, "", CLI_FUNCTIONS},
    {{"describe", "--namespace", "describe", ""}, "", CLI_FUNCTIONS},
    {{"describe", "-n", ""}, "", CLI_NAMESPACES},
    {{"describe", "--namespace="}, "", CLI_NAMESPACES},
    {{"describe", "a", "b"}, ""},
    {{"list", "--js"}, "--json "},
    {{"list", "-qv", "--js"}, "--json "},
    {{"list", "-nx", "--js"}, "--json "},
    {{"--filter", "x", "list", "--js"}, "--json "},
    {{"--nonsense", "x", "list", "--js"}, "--json "},
    {{"--nonsense", "x"}, ""},
    {{"list", "--", "--js"}, ""},
    {{"list", "--nonsense="}, ""},
    {{"logs", "f", "--output", ""}, "plain keyvalue json "},
    {{"logs", "f", "--output=k"}, "--output=keyvalue "},
    {{"deploy", "--update="}, "--update=true --update=false "},
    {{"deploy", "--yaml", ""}, "", CLI_FILES},
    {{"new", "f", "--lang", "p"}, "", CLI_TEMPLATES},
    {{"scale", "f", ""}, ""},
    {{"store", "describe", ""}, "", CLI_STORE_FUNCTIONS},
    {{"secret", "update", ""}, "", CLI_SECRETS},
    {{"help", "vers"}, "version "},
    {{"print-token", ""}, "", CLI_FILES},
};

static void offers_as_text(struct faas_buf *out, const struct cli_completion *c)
{
    faas_buf_append_z(out, "");
    faas_strv_for_each(&c->offers, offer)
    {
        struct faas_str rest = faas_str_from(*offer);

        faas_buf_append_str(out, faas_str_split(&rest, '\t'));
        faas_buf_append_c(out, ' ');
    }
}

static void a_line_is_completed_as_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(lines); i++) {
        _cleanup_(cli_completion_deinit) struct cli_completion c = {0};
        _cleanup_buf_ struct faas_buf text = {0};
        size_t n = 0;

        print_message("faas-cli");
        for (; n < MAX_WORDS && lines[i].words[n]; n++)
            print_message(" %s", lines[i].words[n]);
        print_message("\n");
        cli_complete(&c, &cli_root, (char *const *)lines[i].words, n);
        offers_as_text(&text, &c);
        assert_string_equal(text.data, lines[i].offers);
        assert_int_equal(c.names, lines[i].names);
    }
}

static void what_the_words_say_about_the_gateway_is_kept(void **state)
{
    char *const words[] = {"-f", "a.yml", "describe", "--gateway=http://x", "-n", "dev", ""};
    _cleanup_(cli_completion_deinit) struct cli_completion c = {0};

    (void)state;
    cli_complete(&c, &cli_root, words, FAAS_ARRAY_LEN(words));
    assert_string_equal(c.yaml, "a.yml");
    assert_string_equal(c.gateway, "http://x");
    assert_string_equal(c.namespace_, "dev");
}

static void no_words_at_all_offer_every_command(void **state)
{
    _cleanup_(cli_completion_deinit) struct cli_completion c = {0};
    size_t shown = 0;

    (void)state;
    cli_complete(&c, &cli_root, NULL, 0);
    for (const struct cli_command *const *sub = cli_root.subcommands; *sub; sub++)
        shown += !(*sub)->hidden;
    assert_int_equal(c.offers.len, shown);
}

static void there_is_a_script_for_each_shell_that_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; cli_completion_shells[i]; i++)
        assert_non_null(strstr(cli_completion_script(cli_completion_shells[i]), "complete --"));
    assert_null(cli_completion_script("tcsh"));
    assert_null(cli_completion_script(NULL));
}

static size_t count(const char *text, const char *needle)
{
    size_t n = 0;

    for (; (text = strstr(text, needle)); text++)
        n++;
    return n;
}

static size_t visible(const struct cli_command *c)
{
    size_t n = 0;

    for (const struct cli_command *const *sub = c->subcommands; sub && *sub; sub++)
        if (!(*sub)->hidden)
            n += 1 + visible(*sub);
    return n;
}

static void the_manual_page_has_every_command(void **state)
{
    _cleanup_buf_ struct faas_buf page = {0};

    (void)state;
    cli_man_write(&page, &cli_root, "January 1, 2026");
    assert_int_equal(count(page.data, "\n.Ss "), visible(&cli_root));
    assert_int_equal(count(page.data, "\n.Bl "), count(page.data, "\n.El\n"));
    assert_non_null(strstr(page.data, "\n.Ss scale NAME REPLICAS\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_completed_as_the_table_says),
        cmocka_unit_test(what_the_words_say_about_the_gateway_is_kept),
        cmocka_unit_test(no_words_at_all_offer_every_command),
        cmocka_unit_test(there_is_a_script_for_each_shell_that_is_named),
        cmocka_unit_test(the_manual_page_has_every_command),
    };

    return cmocka_run_group_tests_name("cli completion", tests, NULL, NULL);
}
