# m4/carrel_pamdir.m4 - where Linux-PAM of this system looks for modules.

# CARREL_PAMDIR
# --with-pamdir, or for the prefix /usr the directory that the system's own modules are in, which
# the multiarch and lib64 layouts put elsewhere than $libdir.  Where /lib is a link, what is
# below it is named by its real place, which is how packages name their files.
AC_DEFUN([CARREL_PAMDIR], [
	AC_ARG_WITH([pamdir],
		[AS_HELP_STRING([--with-pamdir=DIR], [install the PAM module in DIR])])
	AC_MSG_CHECKING([where PAM modules belong])
	pamdir=$with_pamdir
	AS_CASE([$pamdir], [yes|no], [AC_MSG_ERROR([--with-pamdir needs a directory])])
	AS_IF([test -z "$pamdir" && test "$prefix,$libdir" = '/usr,${exec_prefix}/lib'], [
		carrel_multiarch=`$CC -print-multiarch 2>/dev/null`
		for carrel_lib in ${carrel_multiarch:+/lib/$carrel_multiarch} /lib64 /lib; do
			test -L /lib && carrel_lib=/usr$carrel_lib
			AS_IF([test -d "$carrel_lib/security"],
				[pamdir=$carrel_lib/security
				break])
		done
	])
	AS_IF([test -z "$pamdir"], [pamdir='${libdir}/security'])
	AC_MSG_RESULT([$pamdir])
	AC_SUBST([pamdir])
])
