/* /system/images: the store of function bundles, for providers that have one. */
#include "gateway/system.h"

#include "libfaas/api_types.h"
#include "libfaas/clock.h"

#include <stdlib.h>
#include <unistd.h>

static json_t *image_json(const struct faas_image *i)
{
    char created[40];

    faas_format_time_go(i->created_ns, created);
    return json_pack("{s:s, s:s, s:I, s:s}", "name", i->name, "digest", i->digest, "bytes",
                     (json_int_t)i->bytes, "createdAt", created);
}

static int image_name(struct gw_management *m, const char **name, struct faas_error *err)
{
    *name = gw_management_query(m, "name");
    if (!*name)
        return faas_fail(err, FAAS_ERR_INVALID,
                         "name: the query must have one, such as ?name=hello:latest");
    return 0;
}

static int list(struct gw_management *m, struct faas_error *err)
{
    struct faas_image *images = NULL;
    size_t n = 0;
    json_t *out;

    if (faas_provider_image_list(&m->gw->provider, &images, &n, err) < 0)
        return -1;
    out = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(out, image_json(&images[i]));
        faas_image_deinit(&images[i]);
    }
    free(images);
    gw_management_reply_json(m, out);
    return 0;
}

static int put(struct gw_management *m, struct faas_error *err)
{
    struct faas_image image = {0};
    const char *name;

    if (image_name(m, &name, err) < 0)
        return -1;
    if (lseek(m->body_fd, 0, SEEK_SET) < 0)
        return faas_fail(err, FAAS_ERR_INTERNAL, "cannot rewind the image");
    if (faas_provider_image_put(&m->gw->provider, name, m->body_fd, &image, err) < 0)
        return -1;
    gw_management_reply_json(m, image_json(&image));
    faas_image_deinit(&image);
    m->status = 201;
    return 0;
}

static int delete (struct gw_management *m, struct faas_error *err)
{
    const char *name;

    if (image_name(m, &name, err) < 0)
        return -1;
    m->status = 202;
    return faas_provider_image_remove(&m->gw->provider, name, err);
}

const struct gw_management_call gw_images_list = {.run = list};
const struct gw_management_call gw_images_put = {.run = put, .spool = true};
const struct gw_management_call gw_images_delete = {.run = delete};
