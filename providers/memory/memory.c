#include "providers/memory/memory.h"

#include "libfaas/alloc.h"
#include "providers/memory/internal.h"

int64_t memory_now_ns(const struct memory *m)
{
    return m->env.clock->realtime_ns(m->env.clock->self);
}

static int memory_open(void **self, const struct faas_provider_env *env, struct faas_error *err)
{
    struct memory *m = faas_new(struct memory);
    pthread_condattr_t attr;

    (void)err;
    m->env = *env;
    if (!m->env.clock)
        m->env.clock = &faas_system_clock;
    pthread_mutex_init(&m->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&m->logged, &attr);
    pthread_condattr_destroy(&attr);

    MEMORY_LOCKED(m);
    memory_publish_locked(m);
    *self = m;
    return 0;
}

static void line_deinit(struct memory_line *l)
{
    free(l->name);
    free(l->namespace_);
    free(l->instance);
    free(l->text);
}

static void memory_close(void *self)
{
    struct memory *m = self;

    memory_functions_deinit(m);
    for (size_t i = 0; i < m->n_namespaces; i++)
        faas_namespace_deinit(&m->namespaces[i]);
    free(m->namespaces);
    for (size_t i = 0; i < m->n_secrets; i++)
        faas_secret_deinit(&m->secrets[i]);
    free(m->secrets);
    for (size_t i = 0; i < m->n_images; i++)
        faas_image_deinit(&m->images[i]);
    free(m->images);
    for (size_t i = 0; i < MEMORY_LOG_LINES; i++)
        line_deinit(&m->lines[i]);
    pthread_cond_destroy(&m->logged);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

static void memory_info(void *self, struct faas_provider_info *out)
{
    (void)self;
    out->provider = "minnow-memory";
    out->orchestration = "memory";
}

const struct faas_provider_ops faas_memory_provider = {
    .name = "memory",
    .summary = "functions are HTTP servers named by annotation " FAAS_MEMORY_UPSTREAM
               "; nothing outlives the gateway",
    .open = memory_open,
    .close = memory_close,
    .info = memory_info,
    .deploy = memory_deploy,
    .update = memory_update,
    .remove = memory_remove,
    .list = memory_list,
    .get = memory_get,
    .scale = memory_scale,
    .secret_list = memory_secret_list,
    .secret_create = memory_secret_create,
    .secret_update = memory_secret_update,
    .secret_remove = memory_secret_remove,
    .namespace_list = memory_namespace_list,
    .namespace_get = memory_namespace_get,
    .namespace_create = memory_namespace_create,
    .namespace_update = memory_namespace_update,
    .namespace_remove = memory_namespace_remove,
    .logs = memory_logs,
    .image_put = memory_image_put,
    .image_list = memory_image_list,
    .image_remove = memory_image_remove,
};
