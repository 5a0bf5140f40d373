package sandbox

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// nobody is whom a child becomes that was started by root.
const nobody = 65534

// The address space that a child may take: four times what it needs. The
// guest's own memory is bounded exactly by wazero; this bounds wazero.
const addressSpace = 4 << 30

// cageAttr is how a child is started: in a process group of its own, and killed with its parent.
func cageAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// enter gives up new privileges and starts this program anew as the child. What is given up
// hangs on a thread and is inherited by a program: so every thread of the child lacks it.
func enter(args []string) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up new privileges: %w", err)
	}
	// With more arenas glibc would open a file to count the processors, which the filter forbids.
	return unix.Exec("/proc/self/exe", args, []string{"MALLOC_ARENA_MAX=1"})
}

// forbidWrites lets no file grow, so that this process cannot change the cache that it loads from.
func forbidWrites() error {
	signal.Ignore(unix.SIGXFSZ) // a failed write is an error, not the end
	return unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{})
}

// lockIn takes from this process what running programs does not need, and tells
// which walls stand. It comes after loading, which needs files. A wall that cannot be
// built is reported and not fatal here: the parent knows which ones it wants.
func lockIn() []Wall {
	walls := []Wall{{Name: "wasm", Stands: true}}
	add := func(name string, err error) {
		w := Wall{Name: name, Stands: err == nil}
		if err != nil {
			w.Why = err.Error()
		}
		walls = append(walls, w)
	}
	// Landlock comes first: to reach every thread it reads /proc, which shows little to nobody.
	files := closeFiles()
	// Another uid clears the wish to die with the parent, so it is said again. A
	// parent that died meanwhile has closed our input, which ends us as well.
	uid := changeUser()
	dies := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0)
	add("no_new_privs", noNewPrivileges())
	add("rlimits", limitResources())
	add("uid", errors.Join(uid, dies))
	add("landlock", files)
	add("seccomp", filterCalls())
	return walls
}

func noNewPrivileges() error {
	have, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	if err != nil {
		return err
	}
	if have != 1 {
		return errors.New("the process was not started by its first half")
	}
	return nil
}

func limitResources() error {
	for _, l := range []struct {
		name  string
		what  int
		value uint64
	}{
		{"address space", unix.RLIMIT_AS, addressSpace},
		{"open files", unix.RLIMIT_NOFILE, 16},
		{"core file", unix.RLIMIT_CORE, 0},
	} {
		if err := unix.Setrlimit(l.what, &unix.Rlimit{Cur: l.value, Max: l.value}); err != nil {
			return fmt.Errorf("limit of %s: %w", l.name, err)
		}
	}
	return nil
}

// changeUser makes a process that root started nobody's. One that somebody else started stays theirs.
func changeUser() error {
	if os.Getuid() != 0 {
		return nil
	}
	// syscall, not unix: these three change every thread of a Go program.
	if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(nobody), syscall.Setuid(nobody)); err != nil {
		return fmt.Errorf("become nobody: %w", err)
	}
	return nil
}

// cpuOf is the processor time that a process of ours has used, or 0 when it is gone.
func cpuOf(pid int) time.Duration {
	const processClock = 2 // CPUCLOCK_SCHED; see clock_getcpuclockid(3)
	return clock(int32(^pid<<3 | processClock))
}

// ownCPU is the processor time that this process has used.
func ownCPU() time.Duration { return clock(unix.CLOCK_PROCESS_CPUTIME_ID) }

func clock(id int32) time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(id, &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// processAlive tells whether a child of ours runs: one that has died and was
// not waited for still has its pid.
func processAlive(pid int) bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	return err == nil && info.Signo == 0
}
