#!/bin/bash
# What a machine can say about style: format, dependency arrows, self-contained headers.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0
sources=$(git ls-files -co --exclude-standard '*.[ch]' ':!templates')

printf '%s\n' $sources | xargs clang-format --dry-run -Werror || bad=1

# folder -> folders it may include from
allowed() {
    case $1 in
    libfaas) echo "libfaas" ;;
    providers) echo "libfaas providers" ;;
    gateway) echo "libfaas providers gateway" ;;
    watchdog) echo "libfaas watchdog" ;;
    cli) echo "libfaas cli" ;;
    *) echo "libfaas providers gateway watchdog cli tests" ;;
    esac
}
while IFS=: read -r file line include; do
    from=${file%%/*}
    to=$(sed -E 's/.*"([^"/]+)\/.*/\1/' <<<"$include")
    if ! grep -qw -- "$to" <<<"$(allowed "$from")"; then
        echo "$file:$line: $from must not include from $to"; bad=1
    fi
done < <(printf '%s\n' $sources | xargs grep -nE '^#include "' /dev/null)

for header in $(printf '%s\n' $sources | grep '\.h$'); do
    echo "#include \"$header\"" | ${CC:-cc} -std=gnu11 -D_GNU_SOURCE -I. $(pkg-config --cflags jansson) -Wall -Wextra -Werror \
        -fsyntax-only -x c - || { echo "$header: does not compile alone"; bad=1; }
done
for script in $(git ls-files -co --exclude-standard '*.sh'); do bash -n "$script" || bad=1; done
[ $bad = 0 ] && echo "lint: clean"
exit $bad
