package serving

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/fault"
)

// treeCache keeps the trees that were used last.
type treeCache struct {
	mu    sync.Mutex
	trees map[string]*bundle.Tree
	order []string
}

const maxTrees = 32

func (c *treeCache) load(root bundle.Signed, locales []string, load func() (*bundle.Tree, error)) (*bundle.Tree, error) {
	name := string(root.Digest()) + " " + strings.Join(locales, " ")
	c.mu.Lock()
	t := c.trees[name]
	c.mu.Unlock()
	if t != nil {
		return t, nil
	}
	t, err := load()
	if err != nil || complete(t, t.Root.Resolve(locales), nil) != nil {
		return t, err // what an import still brings is not kept
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.trees == nil {
		c.trees = map[string]*bundle.Tree{}
	}
	if c.trees[name] == nil {
		if len(c.order) >= maxTrees {
			delete(c.trees, c.order[0])
			c.order = c.order[1:]
		}
		c.trees[name], c.order = t, append(c.order, name)
	}
	return t, nil
}

// complete fails when a manifest of a language is missing.
func complete(t *bundle.Tree, locales, modules []string) error {
	missing := func(what, l string) error {
		return fault.Wrap(fault.NotFound, "bundle.not_found", fmt.Errorf("%s of %s is missing", what, l))
	}
	for _, l := range locales {
		e := t.Editions[l]
		if e == nil {
			return missing("the edition", l)
		}
		for _, m := range e.Modules {
			if len(modules) > 0 && !slices.Contains(modules, m.Ref.ID) {
				continue
			}
			if !m.Present {
				return missing("module "+m.Ref.ID, l)
			}
			for _, it := range m.Items {
				if it.Doc == nil {
					return missing("item "+it.Ref.ID, l)
				}
			}
		}
	}
	return nil
}
