#include "gateway/async/call_id.h"
#include "tests/unit/unit.h"

static void an_id_says_which_entry_it_is(void **state)
{
    static const struct {
        const char *entry, *tail, *id;
    } cases[] = {
        {"1764000000000-0", "0123456789abcdef" + 7, "019ab697-e800-8000-8000-000789abcdef"},
        {"0-1", "000000000", "00000000-0000-8000-8000-001000000000"},
        {"281474976710655-68719476735", "fffffffff", "ffffffff-ffff-8fff-8fff-ffffffffffff"},
        {"1-74565", "abcdefabc", "00000000-0001-8000-8012-345abcdefabc"},
    };

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++) {
        char id[GW_CALL_ID_LEN + 1], entry[GW_ENTRY_ID_SIZE];
        struct faas_str tail;

        assert_true(
            gw_call_id_format(id, faas_str_from(cases[i].entry), faas_str_from(cases[i].tail)));
        assert_string_equal(id, cases[i].id);
        assert_true(gw_call_id_parse(faas_str_from(id), entry, &tail));
        assert_string_equal(entry, cases[i].entry);
        assert_true(faas_str_eqz(tail, cases[i].tail));
    }
}

static void what_has_no_room_in_an_id_is_refused(void **state)
{
    static const struct {
        const char *entry, *tail;
    } cases[] = {
        {"281474976710656-0", "000000000"},
        {"0-68719476736", "000000000"},
        {"12", "000000000"},
        {"1-", "000000000"},
        {"-1", "000000000"},
        {"", "000000000"},
        {"1-x", "000000000"},
        {"1-1", "00000000"},
        {"1-1", "0000000000"},
        {"1-1", "00000000g"},
        {"1-1", "00000000A"},
        {"18446744073709551616-0", "000000000"},
    };
    char id[GW_CALL_ID_LEN + 1];

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(cases); i++)
        assert_false(
            gw_call_id_format(id, faas_str_from(cases[i].entry), faas_str_from(cases[i].tail)));
}

static void other_ids_are_no_entry(void **state)
{
    static const char *const ids[] = {
        "",
        "a",
        "01234567-89ab-4cde-8f01-23456789abcd", /* version 4 */
        "01234567-89ab-8cde-9f01-23456789abcd",
        "01234567-89ab-8cde-8f01-23456789abcD",
        "01234567-89ab-8cde-8f01-23456789abc",
        "01234567-89ab-8cde-8f01-23456789abcde",
        "0123456789ab-8cde-8f01-23456789abcd0",
    };
    char entry[GW_ENTRY_ID_SIZE];
    struct faas_str tail;

    (void)state;
    for (size_t i = 0; i < FAAS_ARRAY_LEN(ids); i++)
        assert_false(gw_call_id_parse(faas_str_from(ids[i]), entry, &tail));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_says_which_entry_it_is),
        cmocka_unit_test(what_has_no_room_in_an_id_is_refused),
        cmocka_unit_test(other_ids_are_no_entry),
    };
    return cmocka_run_group_tests_name("async_call_id", tests, NULL, NULL);
}
