#!/bin/sh
# Makes a bundle of the assembled folder: the handler is checked, its packages installed, its tests run.
set -eu

# The interpreter that the function will run under comes first.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH
command -v php >/dev/null || { echo "php is missing. Debian: apt-get install php-cli" >&2; exit 1; }

for file in $(find function/src -name '*.php'); do
    php -l "$file" >/dev/null
done

# Packages that composer would have to fetch; PHP itself and its extensions are none.
if [ -f function/composer.json ]; then
    wanted=$(php -r '
        $file = json_decode(file_get_contents("function/composer.json"), true, 64, JSON_THROW_ON_ERROR);
        echo count(array_filter(array_keys($file["require"] ?? []), fn($name) => str_contains($name, "/")));')
    if [ "$wanted" -gt 0 ]; then
        command -v composer >/dev/null || {
            echo "composer.json asks for packages, but composer is missing. Debian: apt-get install composer" >&2
            exit 1
        }
        composer install --working-dir=function --no-dev --no-interaction --no-progress --optimize-autoloader
    fi
fi

if [ "${TEST_ENABLED:-true}" != false ] && [ -d function/tests ]; then
    for test in $(find function/tests -name '*Test.php' | sort); do
        php "$test"
    done
fi
