/* What this build calls itself; the Makefile passes both. */
#ifndef FAAS_VERSION_H
#define FAAS_VERSION_H

#ifndef FAAS_VERSION
#define FAAS_VERSION "dev"
#endif
#ifndef FAAS_COMMIT
#define FAAS_COMMIT "unknown"
#endif

const char *faas_version(void);
const char *faas_commit(void);

#endif
