package sandbox

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"

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

// ofHandle, ofFile, ofPath and ofNode fetch what a function is about, so that the function itself
// says only what it does with it.

func ofHandle(do func(*call, *handle) errno) func(*call) errno {
	return func(c *call) errno {
		h, e := c.handle()
		if e != eOK {
			return e
		}
		return do(c, h)
	}
}

func ofFile(do func(*call, *handle) errno) func(*call) errno {
	return func(c *call) errno {
		h, e := c.file()
		if e != eOK {
			return e
		}
		return do(c, h)
	}
}

// ofPath is for a function whose path stands in argument ptr and the next one, and whose folder is the first.
func ofPath(ptr int, do func(*call, place) errno) func(*call) errno {
	return func(c *call) errno {
		p, e := c.find(c.u32(0), ptr, ptr+1)
		if e != eOK {
			return e
		}
		return do(c, p)
	}
}

// ofNode is ofPath for what must be there.
func ofNode(ptr int, do func(*call, place) errno) func(*call) errno {
	return ofPath(ptr, func(c *call, p place) errno {
		if p.node == nil {
			return eNoEnt
		}
		return do(c, p)
	})
}

// tell writes how much was done, unless it failed.
func (c *call) tell(arg int, n uint32, e errno) errno {
	if e != eOK {
		return e
	}
	return c.putU32(arg, n)
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
	"fd_advise":               {"iIIi", ofHandle(nothing)},
	"fd_allocate":             {"iII", ofFile((*call).fdAllocate)},
	"fd_close":                {"i", ofHandle((*call).fdClose)},
	"fd_datasync":             {"i", ofHandle(nothing)},
	"fd_fdstat_get":           {"ii", ofHandle((*call).fdStat)},
	"fd_fdstat_set_flags":     {"ii", ofHandle((*call).fdSetFlags)},
	"fd_fdstat_set_rights":    {"iII", func(*call) errno { return eNotSup }},
	"fd_filestat_get":         {"ii", ofHandle((*call).fdFilestat)},
	"fd_filestat_set_size":    {"iI", ofFile((*call).fdResize)},
	"fd_filestat_set_times":   {"iIIi", ofHandle(nothing)},
	"fd_pread":                {"iiiIi", ofFile((*call).fdPread)},
	"fd_prestat_get":          {"ii", ofHandle((*call).fdPrestat)},
	"fd_prestat_dir_name":     {"iii", ofHandle((*call).fdPrestatName)},
	"fd_pwrite":               {"iiiIi", ofFile((*call).fdPwrite)},
	"fd_read":                 {"iiii", ofHandle((*call).fdRead)},
	"fd_readdir":              {"iiiIi", ofHandle((*call).fdReaddir)},
	"fd_renumber":             {"ii", (*call).fdRenumber},
	"fd_seek":                 {"iIii", ofHandle((*call).fdSeek)},
	"fd_sync":                 {"i", ofHandle(nothing)},
	"fd_tell":                 {"ii", ofFile((*call).fdTell)},
	"fd_write":                {"iiii", ofHandle((*call).fdWrite)},
	"path_create_directory":   {"iii", ofPath(1, (*call).pathMkdir)},
	"path_filestat_get":       {"iiiii", ofNode(2, (*call).pathFilestat)},
	"path_filestat_set_times": {"iiiiIIi", ofNode(2, func(*call, place) errno { return eOK })},
	"path_link":               {"iiiiiii", func(*call) errno { return eNotSup }},
	"path_open":               {"iiiiiIIii", ofPath(2, (*call).pathOpen)},
	"path_readlink":           {"iiiiii", ofNode(1, func(*call, place) errno { return eInval })}, // there are no links
	"path_remove_directory":   {"iii", ofNode(1, (*call).pathRmdir)},
	"path_rename":             {"iiiiii", (*call).pathRename},
	"path_symlink":            {"iiiii", func(*call) errno { return eNotSup }},
	"path_unlink_file":        {"iii", ofNode(1, (*call).pathUnlink)},
	"poll_oneoff":             {"iiii", (*call).poll},
	"proc_raise":              {"i", func(*call) errno { return eNoSys }},
	"random_get":              {"ii", (*call).randomGet},
	"sched_yield":             {"", func(*call) errno { return eOK }},
	"sock_accept":             {"iii", ofHandle(noSocket)},
	"sock_recv":               {"iiiiii", ofHandle(noSocket)},
	"sock_send":               {"iiiii", ofHandle(noSocket)},
	"sock_shutdown":           {"ii", ofHandle(noSocket)},
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

// noSocket answers what would be a socket: there is none.
func noSocket(*call, *handle) errno { return eNotSock }
