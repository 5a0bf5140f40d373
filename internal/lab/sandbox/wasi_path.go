package sandbox

import "slices"

// What a program does with names.

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

func (c *call) pathOpen(p place) errno {
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
		var e errno
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

func (c *call) pathMkdir(p place) errno {
	if p.node != nil {
		return eExist
	}
	_, e := c.files.add(p, true)
	return e
}

func (c *call) pathRmdir(p place) errno {
	switch {
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

func (c *call) pathUnlink(p place) errno {
	if p.node.dir != nil {
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

func (c *call) pathFilestat(p place) errno { return c.putFilestat(c.u32(4), p.node) }
