# Images to copy the watchdogs from, as templates do:
#
#     COPY --from=minnow/of-watchdog:1.0 /fwatchdog /usr/bin/fwatchdog
#
# `make watchdog-images` builds both. The context is build/static/ARCH/bin.
FROM scratch AS classic-watchdog
COPY fwatchdog /fwatchdog
LABEL org.opencontainers.image.licenses="MIT AND LGPL-2.1-or-later AND Apache-2.0"
ENTRYPOINT ["/fwatchdog"]

FROM scratch AS of-watchdog
COPY of-watchdog /fwatchdog
LABEL org.opencontainers.image.licenses="MIT AND LGPL-2.1-or-later AND Apache-2.0"
ENTRYPOINT ["/fwatchdog"]
