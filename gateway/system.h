/* The management calls, one resource a file; routes.c names them all. */
#ifndef FAAS_GATEWAY_SYSTEM_H
#define FAAS_GATEWAY_SYSTEM_H

#include "gateway/management.h"

extern const struct gw_management_call gw_functions_list, gw_functions_create, gw_functions_update,
    gw_functions_delete, gw_function_get, gw_function_scale;
extern const struct gw_management_call gw_secrets_list, gw_secrets_create, gw_secrets_update,
    gw_secrets_delete;
extern const struct gw_management_call gw_namespaces_list, gw_namespace_get, gw_namespace_create,
    gw_namespace_update, gw_namespace_delete;
extern const struct gw_management_call gw_images_list, gw_images_put, gw_images_delete;
extern const struct gw_management_call gw_info;

/* Not a management call: it streams. */
void gw_logs_handle(struct gw_request *r, const struct gw_action *self);

#endif
