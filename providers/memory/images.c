/* Names and digests only: this back end runs nothing, so it keeps no content. */
#include "libfaas/alloc.h"
#include "libfaas/crypto.h"
#include "providers/memory/internal.h"

#include <errno.h>
#include <sys/stat.h>

static struct faas_image *find(const struct memory *m, const char *name)
{
    for (size_t i = 0; i < m->n_images; i++) {
        if (strcmp(m->images[i].name, name) == 0)
            return &m->images[i];
    }
    return NULL;
}

static struct faas_image copy(const struct faas_image *i)
{
    return (struct faas_image){
        .name = faas_strdup(i->name),
        .digest = faas_strdup(i->digest),
        .bytes = i->bytes,
        .created_ns = i->created_ns,
    };
}

int memory_image_put(void *self, const char *image, int fd, struct faas_image *out,
                     struct faas_error *err)
{
    struct memory *m = self;
    struct faas_image *old;
    struct stat st;
    char hex[65];

    if (fstat(fd, &st) < 0)
        return faas_fail_errno(err, FAAS_ERR_INTERNAL, errno, "look at the upload");
    if (faas_sha256_fd(fd, hex, err) < 0)
        return -1;
    *out = (struct faas_image){
        .name = faas_strdup(image),
        .digest = faas_asprintf("sha256:%s", hex),
        .bytes = (uint64_t)st.st_size,
        .created_ns = memory_now_ns(m),
    };

    MEMORY_LOCKED(m);
    old = find(m, image);
    if (old) {
        faas_image_deinit(old);
        *old = copy(out);
        return 0;
    }
    m->images = faas_reallocarray(m->images, m->n_images + 1, sizeof(*m->images));
    m->images[m->n_images++] = copy(out);
    return 0;
}

int memory_image_list(void *self, struct faas_image **out, size_t *n, struct faas_error *err)
{
    struct memory *m = self;

    (void)err;
    MEMORY_LOCKED(m);
    *out = faas_reallocarray(NULL, m->n_images + 1, sizeof(**out));
    for (*n = 0; *n < m->n_images; (*n)++)
        (*out)[*n] = copy(&m->images[*n]);
    return 0;
}

int memory_image_remove(void *self, const char *image, struct faas_error *err)
{
    struct memory *m = self;
    struct faas_image *i;

    MEMORY_LOCKED(m);
    i = find(m, image);
    if (!i)
        return faas_fail(err, FAAS_ERR_NOT_FOUND, "no image is named \"%s\"", image);
    for (size_t f = 0; f < m->n_fns; f++) {
        if (strcmp(m->fns[f]->spec.image, image) == 0)
            return faas_fail(err, FAAS_ERR_CONFLICT, "function \"%s\" uses it",
                             m->fns[f]->spec.service);
    }
    faas_image_deinit(i);
    *i = m->images[--m->n_images];
    return 0;
}
