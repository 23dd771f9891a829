#!/bin/sh
# Run as root while an image is built, for example: docker-php-ext-install pdo_mysql
# (A bundle uses the PHP of the machine that it runs on: install its extensions there.)
