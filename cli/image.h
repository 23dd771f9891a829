/* Names of images: a reference, and a tag that says what it was made of. */
#ifndef FAAS_CLI_IMAGE_H
#define FAAS_CLI_IMAGE_H

#include "libfaas/error.h"

/* image, with ":latest" when its last segment has no tag. Heap. */
char *cli_image_tagged(const char *image);
/* The name that --tag=format asks for: the image's own tag (latest), with the commit (sha), the
 * branch and the commit (branch), git's description (describe), or a digest of the handler's
 * folder in the tag's place (digest). Asks git where that is needed. Heap; NULL on failure. */
char *cli_image_name(const char *image, const char *format, const char *handler,
                     struct faas_error *err);
/* What containers call this machine: "linux/amd64". */
const char *cli_platform(void);

#endif
