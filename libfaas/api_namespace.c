#include "libfaas/api_spec.h"

#include <stdlib.h>

void faas_namespace_deinit(struct faas_namespace *n)
{
    free(n->name);
    faas_map_deinit(&n->labels);
    faas_map_deinit(&n->annotations);
    *n = (struct faas_namespace){0};
}

int faas_namespace_from_json(struct faas_namespace *n, const json_t *j, struct faas_error *err)
{
    if (faas_json_expect_object(j, "namespace", err) < 0 ||
        faas_api_read_string(j, "name", &n->name, err) < 0 ||
        faas_json_get_map(j, "labels", &n->labels, err) < 0 ||
        faas_json_get_map(j, "annotations", &n->annotations, err) < 0)
        return -1;
    return n->name ? 0 : faas_fail(err, FAAS_ERR_INVALID, "name: is required");
}

json_t *faas_namespace_to_json(const struct faas_namespace *n)
{
    json_t *j = json_pack("{s:s}", "name", n->name);

    if (n->annotations.len > 0)
        json_object_set_new(j, "annotations", faas_json_from_map(&n->annotations));
    if (n->labels.len > 0)
        json_object_set_new(j, "labels", faas_json_from_map(&n->labels));
    return j;
}

bool faas_namespace_is_marked(const struct faas_namespace *n)
{
    const char *label = faas_map_get(&n->labels, "openfaas");
    const char *annotation = faas_map_get(&n->annotations, "openfaas");

    return (label && strcmp(label, "1") == 0) || (annotation && strcmp(annotation, "1") == 0);
}
