package sandbox

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// allowed is what a locked child may ask of the kernel: to read and write
// its pipes, memory without execution, time, threads of its own and to end. It
// may not open, connect, execute or look at anything.
var allowed = []uintptr{
	unix.SYS_READ, unix.SYS_WRITE, unix.SYS_CLOSE,
	unix.SYS_PREAD64, // Go reads its processor quota again from a file that it opened at start
	unix.SYS_FUTEX, unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETTIME, unix.SYS_GETTIMEOFDAY,
	unix.SYS_EPOLL_CREATE1, unix.SYS_EVENTFD2, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_PWAIT, unix.SYS_PPOLL, // Go's timers
	unix.SYS_MUNMAP, unix.SYS_MADVISE, unix.SYS_MREMAP, unix.SYS_BRK,
	unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK,
	unix.SYS_GETTID, unix.SYS_GETPID, unix.SYS_SCHED_YIELD, unix.SYS_SCHED_GETAFFINITY,
	unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ, unix.SYS_RESTART_SYSCALL,
	unix.SYS_GETRANDOM, unix.SYS_GETRUSAGE,
	unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
}

var auditArch = map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}

// prSetVMA names memory for people who look; Go's runtime does it where the kernel can.
const prSetVMA = 0x53564d41

// filterCalls lets all threads of this process make only the calls allowed.
// Any other call kills the process: a program that got so far has left its first
// wall.
func filterCalls() error {
	arch, ok := auditArch[runtime.GOARCH]
	if !ok {
		return errors.New("there is no filter for " + runtime.GOARCH)
	}
	const (
		kill   = unix.SECCOMP_RET_KILL_PROCESS
		allow  = unix.SECCOMP_RET_ALLOW
		nr     = 0 // offsets into struct seccomp_data
		archAt = 4
		arg0   = 16 // low words, little-endian
		arg2   = 32
	)
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	ret := func(what uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: what}
	}
	// unless skips n instructions when the loaded word is another one.
	unless := func(word uint32, n uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: word, Jf: n}
	}
	// unlessBits skips n instructions when none of the bits is set in the loaded word.
	unlessBits := func(bits uint32, n uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: bits, Jf: n}
	}
	p := []unix.SockFilter{load(archAt), unless(arch, 1), {Code: unix.BPF_JMP | unix.BPF_JA, K: 1}, ret(kill), load(nr)}
	for _, call := range allowed {
		p = append(p, unless(uint32(call), 1), ret(allow))
	}
	for _, call := range []uint32{unix.SYS_MMAP, unix.SYS_MPROTECT} {
		p = append(p, unless(call, 4), load(arg2), unlessBits(unix.PROT_EXEC, 1), ret(kill), ret(allow))
	}
	p = append(p,
		unless(unix.SYS_CLONE, 4), load(arg0), unlessBits(unix.CLONE_THREAD, 1), ret(allow), ret(kill),
		// Its arguments lie in memory, where a filter cannot see them; libc then takes clone.
		unless(unix.SYS_CLONE3, 1), ret(unix.SECCOMP_RET_ERRNO|uint32(unix.ENOSYS)),
		unless(unix.SYS_PRCTL, 4), load(arg0), unless(prSetVMA, 1), ret(allow), ret(kill),
		unless(unix.SYS_TGKILL, 4), load(arg0), unless(uint32(os.Getpid()), 1), ret(allow), ret(kill),
		ret(kill),
	)
	prog := unix.SockFprog{Len: uint16(len(p)), Filter: &p[0]}
	_, _, e := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(p)
	if e != 0 {
		return fmt.Errorf("filter system calls: %w", e)
	}
	return nil
}
