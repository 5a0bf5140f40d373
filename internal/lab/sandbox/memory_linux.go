package sandbox

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sealImage gives a file in memory that holds what path holds and that nobody can
// change any more. All children map the same one.
func sealImage(path string) (*os.File, error) {
	from, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	fd, err := unix.MemfdCreate("banyan-python", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("make a file in memory: %w", err)
	}
	f := os.NewFile(uintptr(fd), "python.image")
	_, err = io.Copy(f, from)
	if err == nil {
		_, err = unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_SEAL|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_WRITE)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("seal the memory image: %w", err), f.Close())
	}
	return f, nil
}

// newMemory reserves the most that a program may have and lays the image over its beginning, copied on write.
func newMemory(image *os.File) (*memory, error) {
	info, err := image.Stat()
	if err != nil {
		return nil, err
	}
	size := info.Size()
	if size > MaxMemory {
		return nil, errors.New("the memory image is too large")
	}
	buf, err := unix.Mmap(-1, 0, MaxMemory, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return nil, fmt.Errorf("reserve the memory of programs: %w", err)
	}
	if size > 0 {
		// The parent's file is sealed and a file of the cache is never written to again, so what is mapped stays as it is.
		_, err = unix.MmapPtr(int(image.Fd()), 0, unsafe.Pointer(&buf[0]), uintptr(size),
			unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED|unix.MAP_NORESERVE)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("map the memory image: %w", err), unix.Munmap(buf))
		}
	}
	// Every page that was written to is dropped; what it was copied from, or zeros, show again.
	return &memory{buf: buf, restore: func(used []byte) error { return unix.Madvise(used, unix.MADV_DONTNEED) }}, nil
}

func (m *memory) close() { _ = unix.Munmap(m.buf) }

// readOnce maps a file that is needed once. drop lets its pages go, and they come back should they be read again.
func readOnce(path string) (data []byte, drop func(), err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	data, err = unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return nil, nil, fmt.Errorf("map %s: %w", path, err)
	}
	return data, func() { _ = unix.Madvise(data, unix.MADV_DONTNEED) }, nil
}

// programPages finds the pages of this program's own file, which only its start needed for the most
// part: half of a child, for the program is a whole server. drop lets them go, and what is needed again comes back from
// the file. Only mappings are dropped in which nothing was written. It calls nothing but madvise, and may be called again.
func programPages() (drop func()) {
	type span struct{ from, size uintptr }
	var all []span
	drop = func() {
		for _, s := range all {
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, s.from, s.size, unix.MADV_DONTNEED)
		}
	}
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return drop
	}
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return drop
	}
	var from, to uintptr
	for line := range strings.Lines(string(maps)) {
		fields := strings.Fields(line)
		if first, last, is := strings.Cut(fields[0], "-"); is {
			from, to = 0, 0
			if len(fields) >= 6 && fields[1][1] == '-' && fields[5] == self {
				from, to = address(first), address(last)
			}
			continue
		}
		if fields[0] == "Anonymous:" && fields[1] == "0" && from < to {
			all = append(all, span{from, to - from})
		}
	}
	return drop
}

func address(hex string) uintptr {
	n, err := strconv.ParseUint(hex, 16, 64)
	if err != nil {
		return 0
	}
	return uintptr(n)
}
