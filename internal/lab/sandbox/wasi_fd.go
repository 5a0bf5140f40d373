package sandbox

import "encoding/binary"

// What a program does with what is open.

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

// aside reads or writes at a place of the program's choice; that of the handle stays.
func (c *call) aside(h *handle, do func(h *handle, at *uint64) (uint32, errno)) errno {
	at := c.args[3]
	n, e := do(h, &at)
	return c.tell(4, n, e)
}

// nothing is done to a file that is open.
func nothing(*call, *handle) errno { return eOK }

func (c *call) fdAllocate(h *handle) errno {
	at, n := c.args[1], c.args[2]
	switch {
	case !h.write:
		return eBadF
	case n == 0 || at+n < at:
		return eInval
	case at+n <= uint64(len(h.node.data)):
		return eOK
	}
	return c.files.resize(h.node, at+n)
}

func (c *call) fdResize(h *handle) errno {
	if !h.write {
		return eInval
	}
	return c.files.resize(h.node, c.args[1])
}

func (c *call) fdClose(h *handle) errno {
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

func (c *call) fdStat(h *handle) errno {
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

func (c *call) fdSetFlags(h *handle) errno {
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

func (c *call) fdFilestat(h *handle) errno { return c.putFilestat(c.u32(1), h.node) }

func (c *call) fdPrestat(h *handle) errno {
	if c.u32(0) != 3 || h.node != c.files.root {
		return eBadF
	}
	return c.putU64(1, 1<<32) // a folder whose name has one byte
}

func (c *call) fdPrestatName(h *handle) errno {
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

func (c *call) fdRead(h *handle) errno {
	var n uint32
	var e errno
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
	return c.tell(3, n, e)
}

func (c *call) fdPread(h *handle) errno { return c.aside(h, c.readAt) }

func (c *call) fdWrite(h *handle) errno {
	var n uint32
	var e errno
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
	return c.tell(3, n, e)
}

func (c *call) fdPwrite(h *handle) errno { return c.aside(h, c.writeAt) }

func (c *call) fdSeek(h *handle) errno {
	switch {
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

func (c *call) fdTell(h *handle) errno { return c.putU64(1, h.at) }

// fdReaddir fills a buffer with entries from a position on; the last one may be cut off.
func (c *call) fdReaddir(h *handle) errno {
	if h.node == nil || h.node.dir == nil {
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
