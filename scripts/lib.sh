# shellcheck shell=bash
# scripts/lib.sh - for scripts/check and scripts/demo: what they install, how they build.

# shellcheck disable=SC2034 # the scripts that source this use it
readonly build_packages=(
	build-essential autoconf automake pkg-config
	libpam0g-dev libseccomp-dev libconfuse-dev libncurses-dev musl-tools
)

say() {
	printf '\n==> %s\n' "$*"
}

# Install what is missing of the named Debian packages, without asking anything and without
# starting any service: dpkg finds programs by the path that apt gives it, and there stand first
# two that do nothing under the names by which packages start services. The machine's own
# policy-rc.d and its services that run already are not touched.
install_packages() {
	local package missing=() idle status=0
	for package; do
		dpkg-query --show --showformat='${db:Status-Status}\n' "$package" 2>/dev/null |
			grep -qx installed || missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		echo "Please install: ${missing[*]}" >&2
		return 1
	fi
	say "Installing ${missing[*]} (no service is started)"
	idle=$(mktemp -d)
	ln -s /bin/true "$idle/invoke-rc.d"
	ln -s /bin/true "$idle/deb-systemd-invoke"
	{
		apt_get update && apt_get -o DPkg::Path="$idle:/usr/sbin:/usr/bin:/sbin:/bin" \
			install --no-install-recommends "${missing[@]}"
	} || status=$?
	rm -rf "$idle"
	return $status
}

apt_get() {
	DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
		apt-get --quiet --assume-yes -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null
}

# configure_in DIR ARGUMENT...: make DIR a build directory of this source tree that is configured
# with exactly these arguments, keeping what is built when it is one already.
configure_in() {
	local top build=$1 wanted
	top=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
	shift
	[ ! -e "$top/config.status" ] || {
		echo "The source tree itself is configured: run 'make distclean' in it first." >&2
		return 1
	}
	[ -x "$top/configure" ] || "$top/autogen.sh" || return
	mkdir -p "$build"
	wanted="$top $*"
	if [ -e "$build/Makefile" ]; then
		[ "$(cat "$build/configured-as" 2>/dev/null)" != "$wanted" ] || return 0
		make -C "$build" distclean >/dev/null 2>&1 || true
	fi
	(cd "$build" && "$top/configure" "$@") || return
	echo "$wanted" >"$build/configured-as"
}
