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

# CARREL_STATIC_INIT
# How carrel-init is linked: INIT_LDFLAGS.  It is started for every new container, and nothing that it
# needs may come from the container's file system.  Follows $enable_static_init.
AC_DEFUN([CARREL_STATIC_INIT], [
	INIT_LDFLAGS=
	init_linked=shared
	AS_IF([test "$enable_static_init" != no], [
		for carrel_flag in -static-pie -static; do
			AC_MSG_CHECKING([whether carrel-init can be linked with $carrel_flag])
			CARREL_TRY_FLAGS([-fPIC], [$carrel_flag],
				[AC_MSG_RESULT([yes])
				INIT_LDFLAGS=$carrel_flag
				init_linked=${carrel_flag#-}
				break],
				[AC_MSG_RESULT([no])])
		done
		AS_IF([test "$enable_static_init,$init_linked" = yes,shared],
			[AC_MSG_ERROR([--enable-static-init needs libc.a])])
	])
	AC_SUBST([INIT_LDFLAGS])
])
