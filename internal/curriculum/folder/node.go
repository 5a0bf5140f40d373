package folder

import (
	"maps"
	"slices"
	"strconv"
)

// Node is a value of a YAML file and where it stands.
type Node struct {
	Value   any
	Pointer string
}

// Root is all that the file says.
func (d *Document) Root() Node { return Node{d.value, ""} }

// Key gives what stands under a key, or a node of nothing.
func (n Node) Key(k string) Node {
	m, _ := n.Value.(map[string]any)
	return Node{m[k], n.Pointer + "/" + escapePointer(k)}
}

// Has tells whether it is a map with that key.
func (n Node) Has(k string) bool {
	m, _ := n.Value.(map[string]any)
	_, ok := m[k]
	return ok
}

// Present tells which of the keys a map has, in their order.
func (n Node) Present(keys ...string) []string {
	var out []string
	for _, k := range keys {
		if n.Has(k) {
			out = append(out, k)
		}
	}
	return out
}

// Keys lists the keys of a map, sorted.
func (n Node) Keys() []string {
	m, _ := n.Value.(map[string]any)
	return slices.Sorted(maps.Keys(m))
}

// Each lists what stands in a list.
func (n Node) Each() []Node {
	list, _ := n.Value.([]any)
	out := make([]Node, len(list))
	for i, v := range list {
		out[i] = Node{v, n.At(i).Pointer}
	}
	return out
}

// At points to an entry of a list.
func (n Node) At(i int) Node { return Node{Pointer: n.Pointer + "/" + strconv.Itoa(i)} }

// Str gives a text, or "".
func (n Node) Str() string {
	s, _ := n.Value.(string)
	return s
}

// IsMap tells whether it is a map.
func (n Node) IsMap() bool {
	_, ok := n.Value.(map[string]any)
	return ok
}

// IsList tells whether it is a list.
func (n Node) IsList() bool {
	_, ok := n.Value.([]any)
	return ok
}
