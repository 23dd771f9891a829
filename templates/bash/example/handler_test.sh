# Run at every build, by bash -eu beside index.sh; the build argument TEST_ENABLED=false turns that off.
[ -s function/handler.sh ]

# What your function promises, for example:
#
# [ "$(echo hello | bash index.sh)" = hello ]
