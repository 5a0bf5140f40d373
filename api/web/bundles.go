package web

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/choice"
	"github.com/banyan-lms/banyan/internal/bundle/packing"
	"github.com/banyan-lms/banyan/internal/bundle/serving"
)

// Bundles is what the site needs of bundles.
type Bundles interface {
	Head(ctx context.Context, course string, number int) (*packing.Packed, error)
	Pack(ctx context.Context, course string, number int, part serving.Part) (*packing.Packed, error)
	File(ctx context.Context, course string, number int, rule choice.Rule) (*packing.Packed, error)
}

var _ Bundles = (*serving.Service)(nil)

// packType is what packs and .banyan files are called. They are compressed as they are; nothing on the way should do so again.
const packType = "application/vnd.banyan.pack"

// keptPacks bounds how many packs are remembered by their address. What is behind an address never changes, so that a phone that
// asks for the next piece of a pack costs no query.
const keptPacks = 2000

type packsByAddress struct {
	mu    sync.Mutex
	packs map[string]*packing.Packed
}

func (k *packsByAddress) find(address string) *packing.Packed {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.packs[address]
}

func (k *packsByAddress) keep(address string, p *packing.Packed) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.packs == nil || len(k.packs) >= keptPacks {
		k.packs = map[string]*packing.Packed{}
	}
	k.packs[address] = p
}

func (k *packsByAddress) drop(address string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.packs, address)
}

// bundleFile serves what stands directly under a version: the head, or all that a rule wants as one file.
func (s *Site) bundleFile(c echo.Context) error {
	course, number, ok := parseCourse(c.Param("version"))
	if !ok || number == 0 {
		return errNoPage
	}
	ctx := c.Request().Context()
	switch c.Param("file") {
	case "head.pack":
		// Keys change hands and certificates are revoked while the version stays.
		p, err := s.cfg.Bundles.Head(ctx, course, number)
		if err != nil {
			return err
		}
		return s.sendPack(c, p, revalidate)
	case course + ".banyan":
		q := c.QueryParams()
		rule := choice.Rule{Locales: q["locale"], Tier: choice.Tier(c.QueryParam("tier")), Modules: q["module"]}
		p, err := s.cfg.Bundles.File(ctx, course, number, rule)
		if err != nil {
			return err
		}
		c.Response().Header().Set("Content-Disposition", `attachment; filename="`+course+"-"+strconv.Itoa(number)+`.banyan"`)
		return s.sendPack(c, p, revalidate)
	}
	return errNoPage
}

// bundlePart serves a layer of a version in one language.
func (s *Site) bundlePart(c echo.Context) error {
	course, number, part, ok := partOf(c)
	if !ok {
		return errNoPage
	}
	address := part.Href(course, number)
	p := s.packsKept.find(address)
	if p == nil {
		var err error
		if p, err = s.cfg.Bundles.Pack(c.Request().Context(), course, number, part); err != nil {
			return err
		}
		s.packsKept.keep(address, p)
	}
	err := s.sendPack(c, p, immutable)
	if errors.Is(err, fs.ErrNotExist) { // swept since: make it again
		s.packsKept.drop(address)
		return s.bundlePart(c)
	}
	return err
}

// partOf reads the address of a part.
func partOf(c echo.Context) (course string, number int, part serving.Part, ok bool) {
	course, number, ok = parseCourse(c.Param("version"))
	layer, isPack := strings.CutSuffix(c.Param("file"), ".pack")
	if !ok || number == 0 || !isPack || !slices.Contains(bundle.Layers, bundle.Layer(layer)) {
		return "", 0, serving.Part{}, false
	}
	q := c.QueryParams()
	part = serving.Part{Locale: c.Param("locale"), Layer: bundle.Layer(layer), Modules: q["module"], Items: q["item"]}
	if from := q.Get("from"); from != "" {
		n, err := strconv.Atoi(from)
		if err != nil || n < 1 || n >= number {
			return "", 0, serving.Part{}, false
		}
		part.From = n
	}
	return course, number, part, true
}

// sendPack answers GET and HEAD, a range of the bytes too.
func (s *Site) sendPack(c echo.Context, p *packing.Packed, cacheControl []string) error {
	in, err := p.Open()
	if err != nil {
		return fmt.Errorf("open pack %s: %w", p.Tag, err)
	}
	defer func() { _ = in.Close() }()
	h := c.Response().Header()
	for _, name := range documentHeaders {
		delete(h, name)
	}
	h["Cache-Control"] = cacheControl
	h["Content-Type"] = []string{packType}
	h["Etag"] = []string{`"` + p.Tag + `"`}
	http.ServeContent(c.Response(), c.Request(), "", time.Time{}, in)
	return nil
}
