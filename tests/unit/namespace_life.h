/* What every provider that manages namespaces has to do, from the first to the last call. */
#ifndef FAAS_TESTS_NAMESPACE_LIFE_H
#define FAAS_TESTS_NAMESPACE_LIFE_H

#include "providers/provider.h"
#include "tests/unit/unit.h"

static inline bool namespace_listed(struct faas_provider *p, const char *name)
{
    _cleanup_strv_ struct faas_strv names = {0};
    struct faas_error err = {0};

    assert_int_equal(faas_provider_namespace_list(p, &names, &err), 0);
    assert_string_equal(names.items[0], FAAS_DEFAULT_NAMESPACE);
    return faas_strv_has(&names, name);
}

static inline void namespace_has_label(struct faas_provider *p, const char *name,
                                       const char *expected)
{
    struct faas_namespace n = {0};
    struct faas_error err = {0};
    const char *label;

    assert_int_equal(faas_provider_namespace_get(p, name, &n, &err), 0);
    assert_string_equal(n.name, name);
    label = faas_map_get(&n.labels, "team");
    assert_string_equal(label ? label : "none", expected);
    faas_namespace_deinit(&n);
}

static inline void namespace_lives_and_ends(struct faas_provider *p)
{
    struct faas_namespace dev = {.name = (char *)"dev"}, got = {0};
    struct faas_secret secret = {.name = (char *)"key", .namespace_ = (char *)"other"};
    struct faas_error err = {0};

    faas_buf_append_z(&secret.value, "v");
    faas_map_set(&dev.labels, "team", "blue");
    assert_int_equal(faas_provider_namespace_get(p, "dev", &got, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
    assert_int_equal(faas_provider_namespace_update(p, &dev, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
    assert_int_equal(faas_provider_namespace_create(p, &dev, &err), 0);
    assert_true(namespace_listed(p, "dev"));
    namespace_has_label(p, "dev", "blue");
    assert_int_equal(faas_provider_namespace_create(p, &dev, &err), -1);
    assert_int_equal(err.code, FAAS_ERR_CONFLICT);
    faas_map_remove(&dev.labels, "team");
    assert_int_equal(faas_provider_namespace_update(p, &dev, &err), 0);
    namespace_has_label(p, "dev", "none");

    /* One that something is in was never made, and is there all the same. */
    assert_int_equal(faas_provider_secret_create(p, &secret, &err), 0);
    assert_true(namespace_listed(p, "other"));
    namespace_has_label(p, "other", "none");
    assert_int_equal(faas_provider_namespace_remove(p, "other", &err), -1);
    assert_int_equal(err.code, FAAS_ERR_CONFLICT);
    assert_int_equal(faas_provider_secret_remove(p, "key", "other", &err), 0);
    assert_false(namespace_listed(p, "other"));

    assert_int_equal(faas_provider_namespace_remove(p, "dev", &err), 0);
    assert_false(namespace_listed(p, "dev"));
    assert_int_equal(faas_provider_namespace_remove(p, "dev", &err), -1);
    assert_int_equal(err.code, FAAS_ERR_NOT_FOUND);
    namespace_has_label(p, FAAS_DEFAULT_NAMESPACE, "none");
    faas_map_deinit(&dev.labels);
    faas_buf_deinit(&secret.value);
}

#endif
