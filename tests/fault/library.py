"""What the C library's functions return when they fail, and the stubs that return it."""

import re
import subprocess

from suite import expect

# Result, and with a '!' the instruction that clears what the function would have set. Reading from and
# writing to a stream fail as their system calls; what is in NEVER has no failure to return.
FAILING = {
    "-1": """__asprintf_chk __getgroups_chk __nss_configure_lookup __openat_2 __pread_chk access
        asprintf bind capget capset chdir chmod chown chroot clearenv clone close_range connect
        copy_file_range dirfd dup dup2 execve faccessat fallocate fchdir fchmod fchmodat fchown fchownat
        fcntl fgetxattr flistxattr flock fork fsconfig fsetxattr fsmount fsopen fstat fstatat
        fstatfs fstatvfs fsync ftruncate futimens getgrouplist getgroups getrandom getresgid
        getresuid getsockopt getxattr ioctl kill linkat listen lseek lstat memfd_create mkdir
        mkdirat mknodat mmap mount mount_setattr move_mount munmap nanosleep open open_tree openat
        pidfd_open pipe2 poll prctl pread prlimit pwrite raise read readlink readlinkat recv recvmsg
        renameat renameat2 sched_getaffinity sched_setaffinity send sendmsg setgid setgroups setns
        setresgid setresuid setrlimit setsockopt setuid sigaction socket socketpair stat statx
        symlinkat syncfs syscall umount2 uname unlinkat unshare utimensat waitid waitpid write""",
    "0": """calloc fdopen fdopendir fmemopen fopen getpwnam getpwuid gmtime_r localtime_r malloc
        open_memstream opendir pam_getenv pam_modutil_getpwnam realloc reallocarray setlocale strdup
        strftime strndup""",
    "12": """posix_spawn posix_spawn_file_actions_addclosefrom_np posix_spawn_file_actions_adddup2
        posix_spawn_file_actions_addopen posix_spawn_file_actions_init posix_spawnattr_init
        posix_spawnattr_setflags posix_spawnattr_setsigdefault posix_spawnattr_setsigmask""",
    "12!movq $0, (%rcx)": "getgrent_r",
    "12!movq $0, (%r8)": "getgrgid_r getgrnam_r getpwnam_r getpwuid_r",
    "5": "pam_get_item pam_putenv pam_prompt",  # PAM_BUF_ERR
}
NEVER = """__assert_fail __ctype_b_loc __cxa_finalize __errno_location __fprintf_chk __gmon_start__
    __isoc99_sscanf __libc_start_main __memcpy_chk __memmove_chk __mempcpy_chk __memset_chk
    __sched_cpucount __snprintf_chk __stack_chk_fail __vfprintf_chk __vsnprintf_chk _exit
    _ITM_deregisterTMCloneTable _ITM_registerTMCloneTable abort alarm bindtextdomain bsearch clearerr
    clock_gettime close closedir dcgettext endgrent exit fclose ferror fflush fgets fileno fnmatch fputc
    fprintf fputs fread free fwrite getc getenv geteuid getpid getppid isatty memchr memcmp memcpy memmem
    memmove mempcpy memset pam_syslog posix_spawn_file_actions_destroy posix_spawnattr_destroy qsort readdir
    sched_yield setgrent sigemptyset sigfillset snprintf sscanf strcasecmp strchr strcmp strcspn strerror strlen
    strncmp strncpy strnlen strpbrk strrchr strsep strsignal strspn strstr strtod strtok_r strtol
    strtoul strtoull time umask
    vfprintf vsnprintf""".split()


def imports(program):
    done = subprocess.run(["nm", "--dynamic", "--undefined-only", "--format=posix", program],
                          capture_output=True, text=True, check=True)
    return [re.split(r"[@ ]", line)[0] for line in done.stdout.splitlines()]


def failing(program):
    """Function to (result, clearing instruction), for each that the program calls and that can fail."""
    table = {name: result.partition("!")[::2] for result, names in FAILING.items()
             for name in names.split()}
    called = imports(program)
    unknown = [name for name in called if name not in table and name not in NEVER]
    expect(not unknown, f"{program} calls {unknown}: say in library.py how they fail")
    return {name: table[name] for name in sorted(called) if name in table and name not in NEVER}


def write_stubs(path, functions):
    path.write_text("".join(f'STUB({name}, {number}, {result}, "{clears}")\n' for
                            number, (name, (result, clears)) in enumerate(functions.items())))
