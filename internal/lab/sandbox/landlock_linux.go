package sandbox

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/psx"
)

// What Landlock can forbid, by the version of its ABI in which the kernel learnt it. All
// of it is forbidden; in a program without C no rule is ever added that allows something.
// https://docs.kernel.org/userspace-api/landlock.html
const (
	landlockFiles1 = unix.LANDLOCK_ACCESS_FS_MAKE_SYM<<1 - 1 // up to this bit
	landlockFiles2 = unix.LANDLOCK_ACCESS_FS_REFER
	landlockFiles3 = unix.LANDLOCK_ACCESS_FS_TRUNCATE
	landlockFiles5 = unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	landlockNet4   = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	landlockScope6 = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
)

// closeFiles takes from every thread of this process all paths, TCP and, where the kernel can,
// signals to others. What is open stays open.
func closeFiles() error {
	abi, err := landlockABI()
	if err != nil {
		return err
	}
	attr := struct{ files, net, scope uint64 }{files: landlockFiles1} // struct landlock_ruleset_attr
	for _, l := range []struct {
		since int
		have  func()
	}{
		{2, func() { attr.files |= landlockFiles2 }},
		{3, func() { attr.files |= landlockFiles3 }},
		{4, func() { attr.net = landlockNet4 }},
		{5, func() { attr.files |= landlockFiles5 }},
		{6, func() { attr.scope = landlockScope6 }},
	} {
		if abi >= l.since {
			l.have()
		}
	}
	// A kernel that does not know the last fields takes them while they are 0.
	fd, _, e := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if e != 0 {
		return fmt.Errorf("make its rules: %w", e)
	}
	defer func() { _ = unix.Close(int(fd)) }()
	if withC {
		if err := allowList(int(fd), "/proc/self/task"); err != nil {
			return err
		}
	}
	if _, _, e := psx.Syscall3(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0); e != 0 {
		return fmt.Errorf("put it up: %w", e)
	}
	return nil
}

// landlockABI is the version that the kernel has.
func landlockABI() (int, error) {
	abi, _, e := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	switch {
	case errors.Is(e, unix.ENOSYS):
		return 0, errors.New("the kernel is built without it, or the container forbids it")
	case errors.Is(e, unix.EOPNOTSUPP):
		return 0, errors.New("the kernel has it switched off: add landlock to its lsm= list")
	case e != 0:
		return 0, fmt.Errorf("ask for its version: %w", e)
	}
	return int(abi), nil
}

// allowList lets this process list a folder. In a program with C every thread is reached by
// its entry in /proc, which is looked at while the first threads are locked in already.
func allowList(ruleset int, path string) error {
	dir, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	defer func() { _ = unix.Close(dir) }()
	rule := unix.LandlockPathBeneathAttr{Allowed_access: unix.LANDLOCK_ACCESS_FS_READ_DIR, Parent_fd: int32(dir)}
	_, _, e := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if e != 0 {
		return fmt.Errorf("let %s be listed: %w", path, e)
	}
	return nil
}
