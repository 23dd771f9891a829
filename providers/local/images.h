/* The bundle store. Content is kept by digest, unpacked and immutable, in
 * <state>/images/blobs/<sha256 of the tar>/; <state>/images/refs/<escaped name> says which one a
 * name stands for. A blob appears under its name whole or not at all. Any thread; the caller
 * serialises what changes refs or blobs (all but unpack and the readers). */
#ifndef FAAS_PROVIDERS_LOCAL_IMAGES_H
#define FAAS_PROVIDERS_LOCAL_IMAGES_H

#include "libfaas/tar.h"
#include "providers/provider.h"

/* Makes the store's folders. What
 * an interrupted upload left behind goes to the trash. */
FAAS_NODISCARD int local_images_init(const char *state_dir, struct faas_error *err);

/* "hello" means "hello:latest", as everywhere. Caller frees. */
char *local_image_full_name(const char *image) FAAS_NODISCARD;

/* Digest ("sha256:…", caller frees) and size of the tar behind fd. */
FAAS_NODISCARD int local_image_digest(int fd, char **digest, uint64_t *bytes,
                                      struct faas_error *err);
bool local_image_has_blob(const char *state_dir, const char *digest);
/* The folder of a blob. Caller frees. */
char *local_image_blob_path(const char *state_dir, const char *digest) FAAS_NODISCARD;

/* Unpacks the tar into a temporary folder of the store, checks its manifest, and syncs it. INVALID,
 * TOO_LARGE or UNAVAILABLE (disk full); then nothing is left. Caller frees *tmp. */
FAAS_NODISCARD int local_image_unpack(const char *state_dir, int fd,
                                      const struct faas_tar_limits *limits, char **tmp,
                                      struct faas_error *err);
/* Gives an unpacked folder its name. When the blob is there already, tmp goes to the trash. */
FAAS_NODISCARD int local_image_install(const char *state_dir, const char *digest, const char *tmp,
                                       struct faas_error *err);
FAAS_NODISCARD int local_image_set_ref(const char *state_dir, const struct faas_image *image,
                                       struct faas_error *err);

/* NOT_FOUND when the name stands for nothing. *out is the caller's to deinit. */
FAAS_NODISCARD int local_image_get(const char *state_dir, const char *image, struct faas_image *out,
                                   struct faas_error *err);
/* Sorted by name; an unreadable ref is left out. */
FAAS_NODISCARD int local_image_list(const char *state_dir, struct faas_image **out, size_t *n,
                                    struct faas_error *err);
FAAS_NODISCARD int local_image_remove_ref(const char *state_dir, const char *image,
                                          struct faas_error *err);
/* Moves blobs that neither a ref nor in_use names to the trash. */
void local_image_collect(const char *state_dir, const struct faas_strv *in_use);

#endif
