#!/bin/sh
# Makes a bundle of the assembled folder: tests run, everything compiled into one static ./handler.
# Build arguments such as GOPROXY, GOFLAGS and CGO_ENABLED are the environment that go knows.
set -eu

PATH=$PATH:/usr/local/go/bin
command -v go >/dev/null || { echo "go is missing. Debian: apt-get install golang-go" >&2; exit 1; }
export CGO_ENABLED="${CGO_ENABLED:-0}"

# A handler of one file needs no module of its own.
[ -f function/go.mod ] || (cd function && go mod init handler/function)
# The workspace lets each module keep its own go.mod and go.sum; it must ask for the newer language of both.
go work init . ./function

unformatted=$(gofmt -l function)
[ -z "$unformatted" ] || echo "gofmt would write these differently:" $unformatted >&2
if [ "${TEST_ENABLED:-true}" != false ]; then
    (cd function && go test -trimpath ./...) # the flag of the build below, so that its packages serve both
fi
# -buildvcs=false: the folder may lie in a repository of somebody else.
go build -buildvcs=false -trimpath -ldflags='-s -w' -o handler .
[ ! -d function/static ] || cp -R function/static static
