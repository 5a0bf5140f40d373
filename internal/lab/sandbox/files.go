package sandbox

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// files is the file system of one program: a tree in memory, of which nothing lies on the
// host. The program may change all of it. What it writes is counted, so that it
// cannot make this process grow.
type files struct {
	root      *node
	count     int   // nodes that the program made and that are still there
	bytes     int64 // what they hold
	maxCount  int
	maxBytes  int64
	lastInode uint64
}

// node is a file, or a folder when dir is not nil.
type node struct {
	inode uint64
	dir   map[string]*node
	data  []byte
	made  bool // by the program, and counted: its data may be changed in place
	gone  bool // has no name any more
	open  int  // how often it is open: only then may a node be gone and still count
}

// maxName and maxPath bound what a name costs, as on Linux.
const (
	maxName = 255
	maxPath = 4096
)

func newFiles(given map[string][]byte, maxCount int, maxBytes int64) *files {
	f := &files{maxCount: maxCount, maxBytes: maxBytes, lastInode: 1}
	f.root = &node{inode: 1, dir: make(map[string]*node, len(given))}
	for name, data := range given {
		f.lastInode++
		f.root.dir[name] = &node{inode: f.lastInode, data: data}
	}
	return f
}

// changed gives the files at the top that the program made or changed. Their
// names and bytes are within the limits of the program, for only nodes that were counted are among them.
func (f *files) changed() map[string][]byte {
	var out map[string][]byte
	for name, n := range f.root.dir {
		if n.dir == nil && n.made {
			if out == nil {
				out = map[string][]byte{}
			}
			out[name] = n.data
		}
	}
	return out
}

// place is what a path leads to: a node, if there is one, and where it hangs.
type place struct {
	in     *node // nil for the folder that the search began in
	name   string
	node   *node // nil: there is none
	folder bool  // the path ends in a slash
}

// find follows a path from a folder. What would lead out of that folder is refused, as WASI wants it.
func (f *files) find(from *node, path string) (place, errno) {
	switch {
	case len(path) > maxPath:
		return place{}, eNameTooLong
	case path == "":
		return place{}, eNoEnt
	case !utf8.ValidString(path) || strings.ContainsRune(path, 0):
		return place{}, eIlSeq
	case path[0] == '/':
		return place{}, eNotCapable
	case from.dir == nil:
		return place{}, eNotDir
	}
	trail := []place{{node: from}}
	for step := range strings.SplitSeq(path, "/") {
		here := trail[len(trail)-1]
		switch {
		case here.node == nil:
			// Something follows what is not there; a slash alone may follow a folder to be made.
			if step != "" {
				return place{}, eNoEnt
			}
		case here.node.dir == nil:
			return place{}, eNotDir
		case step == "" || step == ".":
		case step == "..":
			if len(trail) == 1 {
				return place{}, eNotCapable
			}
			trail = trail[:len(trail)-1]
		case len(step) > maxName:
			return place{}, eNameTooLong
		default:
			trail = append(trail, place{in: here.node, name: step, node: here.node.dir[step]})
		}
	}
	end := trail[len(trail)-1]
	end.folder = strings.HasSuffix(path, "/")
	return end, eOK
}

// add hangs a new node where find found none.
func (f *files) add(at place, dir bool) (*node, errno) {
	if f.count >= f.maxCount {
		return nil, eNoSpc
	}
	if at.in == nil || at.in.gone {
		return nil, eNoEnt
	}
	f.lastInode++
	n := &node{inode: f.lastInode, made: true}
	if dir {
		n.dir = map[string]*node{}
	}
	f.count++
	at.in.dir[at.name] = n
	return n, eOK
}

// own makes a node the program's, for it is about to change.
func (f *files) own(n *node) errno {
	if n.made {
		return eOK
	}
	if f.count >= f.maxCount || f.bytes+int64(len(n.data)) > f.maxBytes {
		return eNoSpc
	}
	n.data = slices.Clone(n.data)
	n.made = true
	f.count++
	f.bytes += int64(len(n.data))
	return eOK
}

// resize cuts a file or fills it up with zeros.
func (f *files) resize(n *node, size uint64) errno {
	if size > uint64(f.maxBytes) {
		return eNoSpc
	}
	if !n.made && size == 0 { // nothing of it need be kept
		if f.count >= f.maxCount {
			return eNoSpc
		}
		n.data, n.made = nil, true
		f.count++
		return eOK
	}
	if e := f.own(n); e != eOK {
		return e
	}
	more := int64(size) - int64(len(n.data))
	if f.bytes+more > f.maxBytes {
		return eNoSpc
	}
	f.bytes += more
	switch {
	case more > 0:
		n.data = append(n.data, make([]byte, more)...)
	case size == 0:
		n.data = nil
	case more < 0:
		n.data = slices.Clone(n.data[:size]) // what is cut off shall not be held
	}
	return eOK
}

// write puts bytes at a position and tells how many: all of them, or none.
func (f *files) write(n *node, at uint64, p []byte) errno {
	end := at + uint64(len(p))
	if at > uint64(f.maxBytes) || end > uint64(f.maxBytes) {
		return eNoSpc
	}
	if e := f.own(n); e != eOK {
		return e
	}
	if end > uint64(len(n.data)) {
		if e := f.resize(n, end); e != eOK {
			return e
		}
	}
	copy(n.data[at:], p)
	return eOK
}

// remove takes a name away. A file that is open lives on without one.
func (f *files) remove(at place) {
	delete(at.in.dir, at.name)
	at.node.gone = true
	f.forget(at.node)
}

// release ends one use of a node.
func (f *files) release(n *node) {
	n.open--
	if n.gone {
		f.forget(n)
	}
}

// forget stops counting a node that nothing leads to any more.
func (f *files) forget(n *node) {
	if n.open > 0 || !n.made {
		return
	}
	f.count--
	f.bytes -= int64(len(n.data))
	n.data, n.made = nil, false
}

// move gives a node another name, and takes the place of what has it.
func (f *files) move(from, to place) errno {
	switch {
	case from.node == nil:
		return eNoEnt
	case from.in == nil || to.in == nil && to.node != nil:
		return eBusy
	case to.in.gone:
		return eNoEnt
	case from.node == to.node:
		return eOK
	case from.node.dir == nil && (from.folder || to.folder):
		return eNotDir
	case from.node.dir != nil && from.node.holds(to.in):
		return eInval
	}
	if to.node != nil {
		switch {
		case from.node.dir != nil && to.node.dir == nil:
			return eNotDir
		case from.node.dir == nil && to.node.dir != nil:
			return eIsDir
		case len(to.node.dir) > 0:
			return eNotEmpty
		}
	}
	if e := f.own(from.node); e != eOK {
		return e
	}
	if to.node != nil {
		f.remove(to)
	}
	delete(from.in.dir, from.name)
	to.in.dir[to.name] = from.node
	return eOK
}

// holds tells whether other is this folder or lies below it.
func (n *node) holds(other *node) bool {
	if n == other {
		return true
	}
	for _, c := range n.dir {
		if c.dir != nil && c.holds(other) {
			return true
		}
	}
	return false
}

// names lists a folder in order, with the two entries that POSIX wants.
func (n *node) names() []string {
	out := make([]string, 0, len(n.dir)+2)
	for name := range n.dir {
		out = append(out, name)
	}
	slices.Sort(out)
	return append([]string{".", ".."}, out...)
}
