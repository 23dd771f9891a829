#include "cli/builder.h"

const struct cli_builder *const cli_builders[] = {
    &cli_bundle_builder,
    NULL,
};
