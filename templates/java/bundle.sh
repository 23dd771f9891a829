#!/bin/sh
# Makes a bundle of the assembled folder: libraries in ./lib, everything compiled to ./classes, tests run.
# Maven is needed for the libraries only, and only when there are some.
set -eu

# The programs that the function will run under come first.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH
command -v javac >/dev/null || { echo "javac is missing. Debian: apt-get install default-jdk-headless" >&2; exit 1; }

[ ! -f function/build.gradle ] ||
    echo "build.gradle is not read here; name its libraries in pom.xml" >&2

mkdir -p lib classes
for jar in function/lib/*.jar; do
    [ ! -f "$jar" ] || cp "$jar" lib/
done
if grep -qs '<dependency>' function/pom.xml; then
    command -v mvn >/dev/null || {
        echo "pom.xml asks for libraries, but mvn is missing. Debian: apt-get install maven" >&2
        exit 1
    }
    mvn -q -B -f function/pom.xml dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$PWD/lib"
fi

javac -encoding UTF-8 -Xlint:all,-processing,-path -cp 'lib/*' -d classes $(find src function/src/main/java -name '*.java')
[ ! -d function/src/main/resources ] || cp -R function/src/main/resources/. classes/

# Tests are classes with a main; those of frameworks are for an editor or a build of their own.
[ "${TEST_ENABLED:-true}" != false ] || exit 0
for test in $(grep -rl 'static void main(' --include='*Test.java' function/src/test/java 2>/dev/null | sort); do
    javac -encoding UTF-8 -cp 'classes:lib/*' -sourcepath function/src/test/java -d test-classes "$test"
    class=$(echo "${test#function/src/test/java/}" | sed 's|\.java$||' | tr / .)
    java -ea -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp 'test-classes:classes:lib/*' "$class"
done
rm -rf test-classes
