# m4/carrel_static.m4 - link archives where they are: symbol lookup at start is time in every login.

# CARREL_STATIC_LIBRARY(PREFIX, HEADER, CALL)
# Make PREFIX_LIBS, as pkg-config gave it, name the archive when there is one that can be linked
# into a position-independent program.  Follows $enable_static_deps (yes, no, auto); sets
# PREFIX_linked to "static" or "shared" for the summary.
AC_DEFUN([CARREL_STATIC_LIBRARY], [
	$1_linked=shared
	AS_IF([test "$enable_static_deps" != no], [
		AC_MSG_CHECKING([for an archive to link for $$1_LIBS])
		carrel_saved_CFLAGS=$CFLAGS
		carrel_saved_LIBS=$LIBS
		CFLAGS="$CFLAGS -fPIC $$1_CFLAGS"
		LIBS="$PIE_LDFLAGS -Wl,-Bstatic $$1_LIBS -Wl,-Bdynamic $LIBS"
		AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <$2>]], [[$3;]])],
			[AC_MSG_RESULT([yes])
			$1_LIBS="-Wl,-Bstatic $$1_LIBS -Wl,-Bdynamic"
			$1_linked=static],
			[AC_MSG_RESULT([no])
			AS_IF([test "$enable_static_deps" = yes],
				[AC_MSG_ERROR([--enable-static-deps needs the archive (.a) of $$1_LIBS])])])
		CFLAGS=$carrel_saved_CFLAGS
		LIBS=$carrel_saved_LIBS
	])
])

# CARREL_MUSL_INIT
# Flags for carrel-init with musl, position-independent and static, if musl-gcc is there to tell
# where musl is: the GNU C library probes the processor at every start, which in a virtual machine
# is a quarter of a millisecond, and keeps more memory.  gcc's own -static-pie is for the GNU C
# library, hence the start files by name.  Follows $with_musl (yes, no, auto).
AC_DEFUN([CARREL_MUSL_INIT], [
	AC_MSG_CHECKING([whether carrel-init can be linked with musl])
	carrel_specs=`sed -n 's/.*-specs "\(@<:@^"@:>@*\)".*/\1/p' "\`command -v musl-gcc\`" 2>/dev/null`
	carrel_musl=`dirname "$carrel_specs"`
	carrel_headers="-idirafter /usr/include -idirafter /usr/include/`$CC -print-multiarch 2>/dev/null`"
	carrel_cflags="-specs=$carrel_specs $carrel_headers"
	carrel_ldflags="-nostartfiles -static -Wl,-pie,--no-dynamic-linker,-z,text"
	carrel_ldflags="$carrel_ldflags $carrel_musl/rcrt1.o $carrel_musl/crti.o"
	carrel_ldflags="$carrel_ldflags `$CC -print-file-name=crtbeginS.o`"
	carrel_libs="`$CC -print-file-name=crtendS.o` $carrel_musl/crtn.o"
	carrel_works=no
	AS_IF([test -n "$carrel_specs"], [
		carrel_saved_LIBS=$LIBS
		LIBS="$LIBS $carrel_libs"
		CARREL_TRY_FLAGS([-fPIC $carrel_cflags], [$carrel_ldflags])
		LIBS=$carrel_saved_LIBS
	])
	AC_MSG_RESULT([$carrel_works])
	AS_IF([test $carrel_works = yes],
		[INIT_CFLAGS=$carrel_cflags
		INIT_LDFLAGS=$carrel_ldflags
		INIT_LIBS=$carrel_libs
		init_linked="static-pie, musl"],
		[AS_IF([test "$with_musl" = yes], [AC_MSG_ERROR([--with-musl needs musl-gcc])])])
])

# CARREL_STATIC_INIT
# How carrel-watch is linked, STATIC_LDFLAGS, and how carrel-init is compiled and linked, INIT_CFLAGS,
# INIT_LDFLAGS and INIT_LIBS.  They are started for every login and every new container, and nothing
# that PID 1 needs may come from the container's file system.  carrel-watch writes utmp, of which musl
# knows nothing.  Follows $enable_static_init.
AC_DEFUN([CARREL_STATIC_INIT], [
	STATIC_LDFLAGS=
	init_linked=shared
	AS_IF([test "$enable_static_init" != no], [
		for carrel_flag in -static-pie -static; do
			AC_MSG_CHECKING([whether programs can be linked with $carrel_flag])
			CARREL_TRY_FLAGS([-fPIC], [$carrel_flag],
				[AC_MSG_RESULT([yes])
				STATIC_LDFLAGS=$carrel_flag
				init_linked=${carrel_flag#-}
				break],
				[AC_MSG_RESULT([no])])
		done
	])
	INIT_CFLAGS=
	INIT_LDFLAGS=$STATIC_LDFLAGS
	INIT_LIBS=
	AS_IF([test "$enable_static_init" != no && test "$with_musl" != no], [CARREL_MUSL_INIT])
	AS_IF([test "$enable_static_init,$init_linked" = yes,shared],
		[AC_MSG_ERROR([--enable-static-init needs libc.a])])
	AC_SUBST([STATIC_LDFLAGS])
	AC_SUBST([INIT_CFLAGS])
	AC_SUBST([INIT_LDFLAGS])
	AC_SUBST([INIT_LIBS])
])
