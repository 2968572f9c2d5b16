#!/bin/sh
# Make ./configure from configure.ac and Makefile.am. Needs autoconf, automake and pkg-config.
set -e
cd "$(dirname "$0")"
exec autoreconf --force --install "$@"
