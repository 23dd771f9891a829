/* Compiler attributes and small generic macros. No functions, no state. */
#ifndef FAAS_MACROS_H
#define FAAS_MACROS_H

#include <stddef.h>

#define FAAS_PRINTF(fmt_idx, arg_idx) __attribute__((format(printf, fmt_idx, arg_idx)))
#define FAAS_NODISCARD                __attribute__((warn_unused_result))
#define FAAS_NORETURN                 __attribute__((noreturn))
#define FAAS_UNUSED                   __attribute__((unused))

#define FAAS_LIKELY(x)   __builtin_expect(!!(x), 1)
#define FAAS_UNLIKELY(x) __builtin_expect(!!(x), 0)

#define FAAS_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define FAAS_MIN(a, b)          \
    ({                          \
        __typeof__(a) _a = (a); \
        __typeof__(b) _b = (b); \
        _a < _b ? _a : _b;      \
    })

#define FAAS_MAX(a, b)          \
    ({                          \
        __typeof__(a) _a = (a); \
        __typeof__(b) _b = (b); \
        _a > _b ? _a : _b;      \
    })

/* The struct that embeds *ptr as its member. */
#define FAAS_CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#endif
