# m4/carrel_flags.m4 - probe compiler and linker flags one by one; each is used only where it works.

# CARREL_TRY_FLAGS(CFLAGS, LDFLAGS, IF-YES, [IF-NO])
# Can a program be compiled and linked with these on top of the user's own flags?  -Werror, because
# compilers and linkers only warn about flags that they do not know.
AC_DEFUN([CARREL_TRY_FLAGS], [
	carrel_saved_CFLAGS=$CFLAGS
	carrel_saved_LDFLAGS=$LDFLAGS
	CFLAGS="$CFLAGS -Werror $1"
	LDFLAGS="$LDFLAGS $2"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]],
		[[char buffer[64]; return fgets(buffer, sizeof(buffer), stdin) == NULL;]])],
		[carrel_works=yes], [carrel_works=no])
	CFLAGS=$carrel_saved_CFLAGS
	LDFLAGS=$carrel_saved_LDFLAGS
	AS_IF([test $carrel_works = yes], [$3], [$4])
])

# CARREL_COMPILER_FLAG(VARIABLE, FLAG, [IF-NO])
# Add FLAG to VARIABLE when the compiler knows it.
AC_DEFUN([CARREL_COMPILER_FLAG], [
	AC_MSG_CHECKING([whether $CC takes $2])
	CARREL_TRY_FLAGS([$2], [],
		[AC_MSG_RESULT([yes])
		$1="${$1:+$$1 }$2"],
		[AC_MSG_RESULT([no])
		$3])
])

# CARREL_LINKER_FLAG(VARIABLE, FLAG)
AC_DEFUN([CARREL_LINKER_FLAG], [
	AC_MSG_CHECKING([whether the linker takes $2])
	CARREL_TRY_FLAGS([], [$2],
		[AC_MSG_RESULT([yes])
		$1="${$1:+$$1 }$2"],
		[AC_MSG_RESULT([no])])
])

# CARREL_WARNINGS(VARIABLE, FLAGS)
AC_DEFUN([CARREL_WARNINGS], [
	m4_foreach_w([carrel_flag], [$2], [CARREL_COMPILER_FLAG([$1], carrel_flag)])
])
