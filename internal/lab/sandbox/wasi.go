package sandbox

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"slices"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"
)

// This is what a program gets of the world: WASI preview 1, as far as CPython
// uses it, over nothing but memory. It is written here, and not taken from
// wazero, so that the first wall can be read in one sitting: no call below reaches
// the operating system, and none lets this process grow with what a program asks for.
// https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md

// errno is an error as WASI numbers it.
type errno uint32

const (
	eOK          errno = 0
	eBadF        errno = 8
	eBusy        errno = 10
	eExist       errno = 20
	eFault       errno = 21
	eIlSeq       errno = 25
	eInval       errno = 28
	eIsDir       errno = 31
	eMFile       errno = 33
	eNameTooLong errno = 37
	eNoEnt       errno = 44
	eNoSpc       errno = 51
	eNoSys       errno = 52
	eNotDir      errno = 54
	eNotEmpty    errno = 55
	eNotSock     errno = 57
	eNotSup      errno = 58
	eSPipe       errno = 70
	eNotCapable  errno = 76
)

// Bits and numbers of WASI.
const (
	rightRead  = 1 << 1
	rightWrite = 1 << 6
	rightsAll  = 1<<29 - 1

	openCreate, openFolder, openNew, openEmpty = 1, 2, 4, 8 // oflags

	flagAppend = 1 // fdflags
	flagsAll   = 1 | 2 | 4 | 8 | 16

	kindCharacter, kindFolder, kindFile = 2, 3, 4 // filetype
)

// maxOpen is how many files a program may have open at once, its streams among them.
const maxOpen = 64

// handle is an open file: a stream when node is nil.
type handle struct {
	node        *node
	in          io.Reader // of stdin
	out         io.Writer // of stdout and stderr
	at          uint64
	flags       uint16
	read, write bool
	names       []string // of a folder that is being listed
}

// world is what one program can see and change.
type world struct {
	args, env   []string
	files       *files
	open        [maxOpen]*handle
	wall, ticks int64 // ns: the clocks' next looks
	random      splitmix
}

// tick is how far a clock moves when it is looked at.
const tick = 1_000_000

func newWorld(args, env []string, f *files, clock int64, seed uint64, stdin []byte, stdout, stderr io.Writer) *world {
	w := &world{args: args, env: env, files: f, wall: clock, random: splitmix{state: seed}}
	w.open[0] = &handle{in: bytes.NewReader(stdin), read: true}
	w.open[1] = &handle{out: stdout, write: true}
	w.open[2] = &handle{out: stderr, write: true}
	w.open[3] = &handle{node: f.root, read: true}
	f.root.open++
	return w
}

// splitmix is Vigna's splitmix64, read as a stream of little-endian bytes: small enough
// that the page has the very same. https://prng.di.unimi.it/splitmix64.c
type splitmix struct {
	state uint64
	word  [8]byte
	left  int
}

func (s *splitmix) next() uint64 {
	s.state += 0x9e3779b97f4a7c15
	z := s.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Read fills p. It never fails.
func (s *splitmix) Read(p []byte) (int, error) {
	for i := range p {
		if s.left == 0 {
			binary.LittleEndian.PutUint64(s.word[:], s.next())
			s.left = len(s.word)
		}
		p[i] = s.word[len(s.word)-s.left]
		s.left--
	}
	return len(p), nil
}

// call is one call of the program: its arguments and its memory.
type call struct {
	*world
	mem  api.Memory
	args []uint64
}

func (c *call) u32(i int) uint32 { return uint32(c.args[i]) }

// bytes gives the program's memory that two arguments name, to read and to write.
func (c *call) bytes(ptr, size int) ([]byte, errno) { return c.at(c.u32(ptr), c.u32(size)) }

func (c *call) at(ptr, size uint32) ([]byte, errno) {
	b, in := c.mem.Read(ptr, size)
	if !in {
		return nil, eFault
	}
	return b, eOK
}

func (c *call) putU32(arg int, v uint32) errno {
	if !c.mem.WriteUint32Le(c.u32(arg), v) {
		return eFault
	}
	return eOK
}

func (c *call) putU64(arg int, v uint64) errno {
	if !c.mem.WriteUint64Le(c.u32(arg), v) {
		return eFault
	}
	return eOK
}

// handle gives the open file that the first argument names.
func (c *call) handle() (*handle, errno) {
	if fd := c.u32(0); fd < maxOpen && c.open[fd] != nil {
		return c.open[fd], eOK
	}
	return nil, eBadF
}

// file is handle for what only a file can do.
func (c *call) file() (*handle, errno) {
	h, e := c.handle()
	switch {
	case e != eOK:
	case h.node == nil:
		e = eSPipe
	case h.node.dir != nil:
		e = eIsDir
	}
	return h, e
}

// find follows the path in two arguments from the folder that is open as fd.
func (c *call) find(fd uint32, ptr, size int) (place, errno) {
	path, e := c.bytes(ptr, size)
	if e != eOK {
		return place{}, e
	}
	if fd >= maxOpen || c.open[fd] == nil {
		return place{}, eBadF
	}
	if c.open[fd].node == nil {
		return place{}, eNotDir
	}
	return c.files.find(c.open[fd].node, string(path))
}

// each goes through the buffers of a vectored read or write, until do has had enough.
func (c *call) each(do func(b []byte) (n int, more bool, e errno)) (uint32, errno) {
	var sum uint32
	for i := range c.u32(2) {
		vec, e := c.at(c.u32(1)+8*i, 8)
		if e != eOK {
			return sum, e
		}
		b, e := c.at(binary.LittleEndian.Uint32(vec), binary.LittleEndian.Uint32(vec[4:]))
		if e != eOK {
			return sum, e
		}
		n, more, e := do(b)
		sum += uint32(n)
		if e != eOK {
			if sum > 0 { // what was done is told first, as write(2) does it
				return sum, eOK
			}
			return 0, e
		}
		if !more {
			break
		}
	}
	return sum, eOK
}

func (c *call) readAt(h *handle, at *uint64) (uint32, errno) {
	if !h.read {
		return 0, eBadF
	}
	return c.each(func(b []byte) (int, bool, errno) {
		if *at >= uint64(len(h.node.data)) {
			return 0, false, eOK
		}
		n := copy(b, h.node.data[*at:])
		*at += uint64(n)
		return n, n == len(b), eOK
	})
}

func (c *call) writeAt(h *handle, at *uint64) (uint32, errno) {
	if !h.write {
		return 0, eBadF
	}
	return c.each(func(b []byte) (int, bool, errno) {
		if len(b) == 0 {
			return 0, true, eOK
		}
		if e := c.files.write(h.node, *at, b); e != eOK {
			return 0, false, e
		}
		*at += uint64(len(b))
		return len(b), true, eOK
	})
}

// exports are the functions of wasi_snapshot_preview1. "i" stands for an i32, "I" for an i64.
var exports = map[string]struct {
	params string
	do     func(*call) errno
}{
	"args_get":                {"ii", func(c *call) errno { return c.putStrings(c.world.args) }},
	"args_sizes_get":          {"ii", func(c *call) errno { return c.putSizes(c.world.args) }},
	"environ_get":             {"ii", func(c *call) errno { return c.putStrings(c.env) }},
	"environ_sizes_get":       {"ii", func(c *call) errno { return c.putSizes(c.env) }},
	"clock_res_get":           {"ii", (*call).clockRes},
	"clock_time_get":          {"iIi", (*call).clockTime},
	"fd_advise":               {"iIIi", (*call).fdAny},
	"fd_allocate":             {"iII", (*call).fdAllocate},
	"fd_close":                {"i", (*call).fdClose},
	"fd_datasync":             {"i", (*call).fdAny},
	"fd_fdstat_get":           {"ii", (*call).fdStat},
	"fd_fdstat_set_flags":     {"ii", (*call).fdSetFlags},
	"fd_fdstat_set_rights":    {"iII", func(*call) errno { return eNotSup }},
	"fd_filestat_get":         {"ii", (*call).fdFilestat},
	"fd_filestat_set_size":    {"iI", (*call).fdResize},
	"fd_filestat_set_times":   {"iIIi", (*call).fdAny},
	"fd_pread":                {"iiiIi", (*call).fdPread},
	"fd_prestat_get":          {"ii", (*call).fdPrestat},
	"fd_prestat_dir_name":     {"iii", (*call).fdPrestatName},
	"fd_pwrite":               {"iiiIi", (*call).fdPwrite},
	"fd_read":                 {"iiii", (*call).fdRead},
	"fd_readdir":              {"iiiIi", (*call).fdReaddir},
	"fd_renumber":             {"ii", (*call).fdRenumber},
	"fd_seek":                 {"iIii", (*call).fdSeek},
	"fd_sync":                 {"i", (*call).fdAny},
	"fd_tell":                 {"ii", (*call).fdTell},
	"fd_write":                {"iiii", (*call).fdWrite},
	"path_create_directory":   {"iii", (*call).pathMkdir},
	"path_filestat_get":       {"iiiii", (*call).pathFilestat},
	"path_filestat_set_times": {"iiiiIIi", (*call).pathTimes},
	"path_link":               {"iiiiiii", func(*call) errno { return eNotSup }},
	"path_open":               {"iiiiiIIii", (*call).pathOpen},
	"path_readlink":           {"iiiiii", (*call).pathReadlink},
	"path_remove_directory":   {"iii", (*call).pathRmdir},
	"path_rename":             {"iiiiii", (*call).pathRename},
	"path_symlink":            {"iiiii", func(*call) errno { return eNotSup }},
	"path_unlink_file":        {"iii", (*call).pathUnlink},
	"poll_oneoff":             {"iiii", (*call).poll},
	"proc_raise":              {"i", func(*call) errno { return eNoSys }},
	"random_get":              {"ii", (*call).randomGet},
	"sched_yield":             {"", func(*call) errno { return eOK }},
	"sock_accept":             {"iii", (*call).sock},
	"sock_recv":               {"iiiiii", (*call).sock},
	"sock_send":               {"iiiii", (*call).sock},
	"sock_shutdown":           {"ii", (*call).sock},
}

const wasiModule = "wasi_snapshot_preview1"

// addWASI gives the runtime the functions above. current tells in which world they act:
// a process runs one program at a time.
func addWASI(ctx context.Context, r wazero.Runtime, current func() *world) error {
	b := r.NewHostModuleBuilder(wasiModule)
	types := map[rune]api.ValueType{'i': api.ValueTypeI32, 'I': api.ValueTypeI64}
	for name, f := range exports {
		var params []api.ValueType
		for _, p := range f.params {
			params = append(params, types[p])
		}
		b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(_ context.Context, m api.Module, stack []uint64) {
			c := call{world: current(), mem: m.Memory(), args: stack}
			e := eNoSys
			if c.mem != nil {
				e = f.do(&c)
			}
			stack[0] = uint64(e)
		}), params, []api.ValueType{api.ValueTypeI32}).Export(name)
	}
	b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(ctx context.Context, m api.Module, stack []uint64) {
		code := uint32(stack[0])
		_ = m.CloseWithExitCode(ctx, code)
		panic(sys.NewExitError(code)) // nothing after it runs
	}), []api.ValueType{api.ValueTypeI32}, nil).Export("proc_exit")
	_, err := b.Instantiate(ctx)
	return err
}

func (c *call) putSizes(list []string) errno {
	n := 0
	for _, s := range list {
		n += len(s) + 1
	}
	return firstOf(c.putU32(0, uint32(len(list))), c.putU32(1, uint32(n)))
}

func (c *call) putStrings(list []string) errno {
	ptrs, to := c.u32(0), c.u32(1)
	for i, s := range list {
		if !c.mem.WriteUint32Le(ptrs+4*uint32(i), to) || !c.mem.WriteString(to, s+"\x00") {
			return eFault
		}
		to += uint32(len(s)) + 1
	}
	return eOK
}

// firstOf gives the first of two errors.
func firstOf(a, b errno) errno {
	if a != eOK {
		return a
	}
	return b
}

func (c *call) clockRes() errno {
	if c.u32(0) > 3 {
		return eInval
	}
	return c.putU64(1, tick)
}

// clockTime gives the wall clock as 0, and one clock for the three others that count from the start.
func (c *call) clockTime() errno {
	var clock *int64
	switch c.u32(0) {
	case 0:
		clock = &c.wall
	case 1, 2, 3:
		clock = &c.ticks
	default:
		return eInval
	}
	now := *clock
	*clock += tick
	return c.putU64(2, uint64(now))
}

func (c *call) randomGet() errno {
	b, e := c.bytes(0, 1)
	if e == eOK {
		_, _ = c.random.Read(b)
	}
	return e
}

// fdAny does nothing to a file that is open.
func (c *call) fdAny() errno {
	_, e := c.handle()
	return e
}

func (c *call) fdAllocate() errno {
	h, e := c.file()
	at, n := c.args[1], c.args[2]
	switch {
	case e != eOK:
		return e
	case !h.write:
		return eBadF
	case n == 0 || at+n < at:
		return eInval
	case at+n <= uint64(len(h.node.data)):
		return eOK
	}
	return c.files.resize(h.node, at+n)
}

func (c *call) fdResize() errno {
	h, e := c.file()
	switch {
	case e != eOK:
		return e
	case !h.write:
		return eInval
	}
	return c.files.resize(h.node, c.args[1])
}

func (c *call) fdClose() errno {
	h, e := c.handle()
	if e != eOK {
		return e
	}
	c.open[c.u32(0)] = nil
	if h.node != nil {
		c.files.release(h.node)
	}
	return eOK
}

// fdRenumber gives an open file the number of another, which is closed.
func (c *call) fdRenumber() errno {
	from, to := c.u32(0), c.u32(1)
	if from >= maxOpen || c.open[from] == nil || to >= maxOpen || c.open[to] == nil {
		return eBadF
	}
	if from == to {
		return eOK
	}
	if old := c.open[to].node; old != nil {
		c.files.release(old)
	}
	c.open[to], c.open[from] = c.open[from], nil
	return eOK
}

func (h *handle) kind() byte {
	switch {
	case h.node == nil:
		return kindCharacter
	case h.node.dir != nil:
		return kindFolder
	}
	return kindFile
}

func (c *call) fdStat() errno {
	h, e := c.handle()
	if e != eOK {
		return e
	}
	b, e := c.at(c.u32(1), 24)
	if e != eOK {
		return e
	}
	clear(b)
	rights := uint64(rightsAll) // a stream with all rights is no terminal to libc
	if !h.read {
		rights &^= rightRead
	}
	if !h.write {
		rights &^= rightWrite
	}
	b[0] = h.kind()
	binary.LittleEndian.PutUint16(b[2:], h.flags)
	binary.LittleEndian.PutUint64(b[8:], rights)
	if h.kind() == kindFolder {
		binary.LittleEndian.PutUint64(b[8:], rightsAll)
		binary.LittleEndian.PutUint64(b[16:], rightsAll)
	}
	return eOK
}

func (c *call) fdSetFlags() errno {
	h, e := c.handle()
	if e != eOK {
		return e
	}
	if c.u32(1)&^flagsAll != 0 {
		return eInval
	}
	h.flags = uint16(c.u32(1))
	return eOK
}

// putFilestat describes a node; nil is a stream. Times are all 0: nothing here is older than the program.
func (c *call) putFilestat(to uint32, n *node) errno {
	b, e := c.at(to, 64)
	if e != eOK {
		return e
	}
	clear(b)
	b[16] = kindCharacter
	if n != nil {
		binary.LittleEndian.PutUint64(b[8:], n.inode)
		b[16] = kindFile
		binary.LittleEndian.PutUint64(b[32:], uint64(len(n.data)))
		if n.dir != nil {
			b[16] = kindFolder
		}
	}
	if n == nil || !n.gone {
		binary.LittleEndian.PutUint64(b[24:], 1)
	}
	return eOK
}

func (c *call) fdFilestat() errno {
	h, e := c.handle()
	if e != eOK {
		return e
	}
	return c.putFilestat(c.u32(1), h.node)
}

func (c *call) pathFilestat() errno {
	p, e := c.find(c.u32(0), 2, 3)
	switch {
	case e != eOK:
		return e
	case p.node == nil:
		return eNoEnt
	}
	return c.putFilestat(c.u32(4), p.node)
}

func (c *call) pathTimes() errno {
	p, e := c.find(c.u32(0), 2, 3)
	if e == eOK && p.node == nil {
		return eNoEnt
	}
	return e
}

func (c *call) pathReadlink() errno {
	p, e := c.find(c.u32(0), 1, 2)
	switch {
	case e != eOK:
		return e
	case p.node == nil:
		return eNoEnt
	}
	return eInval // there are no links
}

func (c *call) fdPrestat() errno {
	h, e := c.handle()
	if e != eOK {
		return e
	}
	if c.u32(0) != 3 || h.node != c.files.root {
		return eBadF
	}
	return c.putU64(1, 1<<32) // a folder whose name has one byte
}

func (c *call) fdPrestatName() errno {
	h, e := c.handle()
	if e != eOK {
		return e
	}
	if c.u32(0) != 3 || h.node != c.files.root {
		return eBadF
	}
	b, e := c.bytes(1, 2)
	switch {
	case e != eOK:
		return e
	case len(b) < 1:
		return eNameTooLong
	}
	b[0] = '/'
	return eOK
}

func (c *call) fdRead() errno {
	h, e := c.handle()
	if e != eOK {
		return e
	}
	var n uint32
	switch {
	case !h.read:
		return eBadF
	case h.node == nil:
		n, e = c.each(func(b []byte) (int, bool, errno) {
			n, err := h.in.Read(b)
			return n, err == nil && n == len(b), eOK
		})
	case h.node.dir != nil:
		return eIsDir
	default:
		n, e = c.readAt(h, &h.at)
	}
	if e != eOK {
		return e
	}
	return c.putU32(3, n)
}

func (c *call) fdPread() errno {
	h, e := c.file()
	if e != eOK {
		return e
	}
	at := c.args[3]
	n, e := c.readAt(h, &at)
	if e != eOK {
		return e
	}
	return c.putU32(4, n)
}

func (c *call) fdWrite() errno {
	h, e := c.handle()
	if e != eOK {
		return e
	}
	var n uint32
	switch {
	case !h.write:
		return eBadF
	case h.node == nil:
		n, e = c.each(func(b []byte) (int, bool, errno) {
			n, err := h.out.Write(b)
			if err != nil {
				return n, false, eNoSpc
			}
			return n, true, eOK
		})
	default:
		if h.flags&flagAppend != 0 {
			h.at = uint64(len(h.node.data))
		}
		n, e = c.writeAt(h, &h.at)
	}
	if e != eOK {
		return e
	}
	return c.putU32(3, n)
}

func (c *call) fdPwrite() errno {
	h, e := c.file()
	if e != eOK {
		return e
	}
	at := c.args[3]
	n, e := c.writeAt(h, &at)
	if e != eOK {
		return e
	}
	return c.putU32(4, n)
}

func (c *call) fdSeek() errno {
	h, e := c.handle()
	switch {
	case e != eOK:
		return e
	case h.node == nil:
		return eSPipe
	case h.node.dir != nil:
		return eBadF
	}
	at := int64(c.args[1])
	switch c.u32(2) {
	case 0:
	case 1:
		at += int64(h.at)
	case 2:
		at += int64(len(h.node.data))
	default:
		return eInval
	}
	if at < 0 {
		return eInval
	}
	h.at = uint64(at)
	return c.putU64(3, h.at)
}

func (c *call) fdTell() errno {
	h, e := c.file()
	if e != eOK {
		return e
	}
	return c.putU64(1, h.at)
}

// fdReaddir fills a buffer with entries from a position on; the last one may be cut off.
func (c *call) fdReaddir() errno {
	h, e := c.handle()
	switch {
	case e != eOK:
		return e
	case h.node == nil || h.node.dir == nil:
		return eNotDir
	}
	buf, e := c.bytes(1, 2)
	if e != eOK {
		return e
	}
	at := c.args[3]
	if at == 0 || h.names == nil {
		h.names = h.node.names()
	}
	used := 0
	for ; at < uint64(len(h.names)) && used < len(buf); at++ {
		name := h.names[at]
		n := h.node.dir[name]
		entry := make([]byte, 24, 24+len(name))
		binary.LittleEndian.PutUint64(entry, at+1)
		binary.LittleEndian.PutUint32(entry[16:], uint32(len(name)))
		switch {
		case name == "." || name == "..":
			n = h.node
			entry[20] = kindFolder
		case n == nil: // was removed since
			entry[20] = kindFile
		case n.dir != nil:
			entry[20] = kindFolder
		default:
			entry[20] = kindFile
		}
		if n != nil {
			binary.LittleEndian.PutUint64(entry[8:], n.inode)
		}
		used += copy(buf[used:], append(entry, name...))
	}
	return c.putU32(4, uint32(used))
}

func (c *call) pathOpen() errno {
	p, e := c.find(c.u32(0), 2, 3)
	if e != eOK {
		return e
	}
	how, rights, flags := c.u32(4), c.args[5], c.u32(7)
	write := rights&rightWrite != 0
	fd := slices.Index(c.open[:], nil)
	switch {
	case flags&^flagsAll != 0:
		return eInval
	case fd < 0:
		return eMFile
	case p.node == nil && how&openCreate == 0:
		return eNoEnt
	case p.node == nil && (p.folder || how&openFolder != 0):
		return eInval
	case p.node != nil && how&openCreate != 0 && how&openNew != 0:
		return eExist
	case p.node != nil && p.node.dir == nil && how&openFolder != 0:
		return eNotDir
	case p.node != nil && p.node.dir != nil && (write || how&openCreate != 0) && how&openFolder == 0:
		return eIsDir
	}
	n := p.node
	if n == nil {
		if n, e = c.files.add(p, false); e != eOK {
			return e
		}
	}
	if how&openEmpty != 0 && write && n.dir == nil {
		if e := c.files.resize(n, 0); e != eOK {
			return e
		}
	}
	n.open++
	c.open[fd] = &handle{
		node: n, flags: uint16(flags),
		read: rights&rightRead != 0 || n.dir != nil, write: write && n.dir == nil,
	}
	return c.putU32(8, uint32(fd))
}

func (c *call) pathMkdir() errno {
	p, e := c.find(c.u32(0), 1, 2)
	switch {
	case e != eOK:
		return e
	case p.node != nil:
		return eExist
	}
	_, e = c.files.add(p, true)
	return e
}

func (c *call) pathRmdir() errno {
	p, e := c.find(c.u32(0), 1, 2)
	switch {
	case e != eOK:
		return e
	case p.node == nil:
		return eNoEnt
	case p.node.dir == nil:
		return eNotDir
	case p.in == nil:
		return eBusy
	case len(p.node.dir) > 0:
		return eNotEmpty
	}
	c.files.remove(p)
	return eOK
}

func (c *call) pathUnlink() errno {
	p, e := c.find(c.u32(0), 1, 2)
	switch {
	case e != eOK:
		return e
	case p.node == nil:
		return eNoEnt
	case p.node.dir != nil:
		return eIsDir
	}
	c.files.remove(p)
	return eOK
}

func (c *call) pathRename() errno {
	from, e := c.find(c.u32(0), 1, 2)
	if e != eOK {
		return e
	}
	to, e := c.find(c.u32(3), 4, 5)
	if e != eOK {
		return e
	}
	return c.files.move(from, to)
}

// poll answers that everything has happened: a program that waits goes on at once.
func (c *call) poll() errno {
	n := c.u32(2)
	if n == 0 {
		return eInval
	}
	for i := range n {
		sub, e := c.at(c.u32(0)+48*i, 48)
		if e != eOK {
			return e
		}
		event, e := c.at(c.u32(1)+32*i, 32)
		if e != eOK {
			return e
		}
		user, kind := binary.LittleEndian.Uint64(sub), sub[8]
		clear(event)
		binary.LittleEndian.PutUint64(event, user)
		event[10] = kind
	}
	return c.putU32(3, n)
}

// sock answers what would be a socket: there is none.
func (c *call) sock() errno {
	if _, e := c.handle(); e != eOK {
		return e
	}
	return eNotSock
}
