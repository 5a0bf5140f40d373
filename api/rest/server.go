// Package rest answers the operations of the contract: one file a resource, each handler reads, calls a service and answers.
package rest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	echomw "github.com/labstack/echo/v4/middleware"

	"github.com/banyan-lms/banyan/api/middleware"
	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/bundle/serving"
	"github.com/banyan-lms/banyan/internal/bundle/shelf"
	"github.com/banyan-lms/banyan/internal/bundle/trust"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/bake"
	"github.com/banyan-lms/banyan/internal/credential/forms"
	"github.com/banyan-lms/banyan/internal/credential/issuing"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/credential/paper"
	"github.com/banyan-lms/banyan/internal/credential/recognition"
	"github.com/banyan-lms/banyan/internal/credential/statuslist"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/credential/wallet"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/publishing"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/i18n"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/lab"
	"github.com/banyan-lms/banyan/internal/learning"
)

// Server answers the API. Every field but Locale is needed.
type Server struct {
	Identity    *identity.Service
	Institution *institution.Service
	Curriculum  *publishing.Service
	Learning    *learning.Service
	Lab         *lab.Service
	Keys        *keyring.Service // of issuers
	Lists       *statuslist.Service
	Credential  *credential.Service
	Forms       *forms.Service // of credentials
	Issuing     *issuing.Service
	Wallet      *wallet.Service
	Recognition *recognition.Service
	Paper       *paper.Service
	Bundle      *serving.Service
	Shelf       *shelf.Service // bundles from elsewhere
	Trust       *trust.Service // of publishers
	Verifier    *verifier.Verifier
	Badges      *bake.Drawer
	Desk        *job.Desk
	Words       *i18n.Catalogue
	Ping        func(ctx context.Context) error // the database
	Version     string
	PublicURL   string
	Secure      bool // people come by https
	SignupOpen  bool
	Locale      string // of whoever has chosen none; "" leaves it to their browser
	Proxies     []netip.Prefix
	Now         func() time.Time
}

var _ openapi.StrictServerInterface = (*Server)(nil)

// Register puts the API under /api/, and what CASE wants where CASE wants it.
func (s *Server) Register(e *echo.Echo) error {
	doc, err := openapi.Load()
	if err != nil {
		return err
	}
	crossOrigin, err := middleware.CrossOrigin(s.PublicURL)
	if err != nil {
		return err
	}
	api := e.Group("",
		middleware.Request(s.WriteProblem),
		echomw.GzipWithConfig(echomw.GzipConfig{Level: 5, MinLength: 1024}),
		middleware.Origin(s.Proxies),
		middleware.Language(s.Words.Match, s.Locale), // again below, when the account is known
		middleware.Limits(),
		crossOrigin,
		middleware.Session(s.Identity, s.Secure),
		middleware.Language(s.Words.Match, s.Locale),
		middleware.NotModified(),
		middleware.Validate(doc),
		noStore,
	)
	e.JSONSerializer = serializer{}
	openapi.RegisterHandlers(api, openapi.NewStrictHandler(s, nil))
	api.GET("/api/openapi.yaml", func(c echo.Context) error {
		return c.Blob(http.StatusOK, "application/yaml", openapi.YAML)
	})
	for _, rest := range []string{"/api/*", casePath + "*"} {
		api.Any(rest, func(echo.Context) error { return echo.ErrNotFound })
	}
	return nil
}

// serializer leaves a body that its service reads itself as it is: Limits has
// made sure that it is one JSON value.
type serializer struct{ echo.DefaultJSONSerializer }

// Deserialize implements echo.JSONSerializer.
func (s serializer) Deserialize(c echo.Context, into any) error {
	if raw, ok := into.(*json.RawMessage); ok {
		if body, ok := c.Request().Body.(*middleware.Body); ok {
			*raw = body.Bytes()
			return nil
		}
	}
	return s.DefaultJSONSerializer.Deserialize(c, into)
}

// noStore keeps answers out of shared caches; handlers of public, unchanging things say otherwise.
func noStore(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Cache-Control", "private, no-cache")
		if strings.HasPrefix(c.Request().URL.Path, casePath) { // the same for everybody, so pages of others may read it too
			h.Set("Access-Control-Allow-Origin", "*")
			h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		}
		return next(c)
	}
}

const defaultLimit = 50

func limitOf(l *openapi.Limit) int {
	if l == nil {
		return defaultLimit
	}
	return *l
}

// Cursors are the last id of a page, wrapped so that nobody builds on their form.
func cursorOf(c *openapi.Cursor) (string, error) {
	if c == nil || *c == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(*c)
	if err != nil {
		return "", badCursor()
	}
	return string(raw), nil
}

func uuidCursor(c *openapi.Cursor) (string, error) {
	id, err := cursorOf(c)
	if err != nil || id == "" {
		return "", err
	}
	if !looksLikeUUID(id) {
		return "", badCursor()
	}
	return id, nil
}

// numberCursor is the arrival of a statement.
func numberCursor(c *openapi.Cursor) (int64, error) {
	text, err := cursorOf(c)
	if err != nil || text == "" {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, badCursor()
	}
	return n, nil
}

// courseCursor is a course's id: no other list goes by one.
func courseCursor(c *openapi.Cursor) (string, error) {
	id, err := cursorOf(c)
	if err == nil && id != "" && !slugForm.MatchString(id) {
		err = badCursor()
	}
	return id, err
}

var slugForm = regexp.MustCompile(`^[a-z][a-z0-9-]{1,63}$`)

func badCursor() error {
	return fault.New(fault.Invalid, "request.invalid").At(fault.Detail{Pointer: "#query/cursor", Key: "request.bad_cursor"})
}

func looksLikeUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return false
		}
	}
	return true
}

// next gives the cursor after a full page; a short page is the last.
func next[T any](items []T, limit int, id func(T) string) *string {
	if len(items) < limit || len(items) == 0 {
		return nil
	}
	return wrapCursor(id(items[len(items)-1]))
}

func wrapCursor(last string) *string {
	if last == "" {
		return nil
	}
	c := base64.RawURLEncoding.EncodeToString([]byte(last))
	return &c
}

// said gives a course's text in the reader's language or in what stands in for it, and names that language where it is
// another. A course that tells no source (see quiz.Vault) falls back to English before any other language.
func said(t curriculum.Text, langs curriculum.Langs, locale, source string) (text string, lang *string) {
	if _, ok := t[source]; !ok {
		source = "en"
		if locales := slices.Sorted(maps.Keys(t)); t["en"] == "" && len(locales) > 0 {
			source = locales[0]
		}
	}
	text, in := t.Said(locale, source, langs)
	if in == locale || text == "" {
		return text, nil
	}
	return text, &in
}

// langsJSON leaves out what says nothing.
func langsJSON(t curriculum.Text, langs curriculum.Langs, source string) *openapi.Langs {
	if out := openapi.Langs(t.Langs(source, langs)); len(out) > 0 {
		return &out
	}
	return nil
}

func each[A, B any](in []A, f func(A) B) []B {
	out := make([]B, len(in))
	for i, a := range in {
		out[i] = f(a)
	}
	return out
}

// optional is nil for the zero value, so that it is left out of the JSON.
func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// actorFrom gives who is asking.
func actorFrom(ctx context.Context) identity.Actor { return middleware.Actor(ctx) }

// GetHealth implements openapi.StrictServerInterface.
func (s *Server) GetHealth(ctx context.Context, _ openapi.GetHealthRequestObject) (openapi.GetHealthResponseObject, error) {
	if err := s.Ping(ctx); err != nil {
		return nil, fault.Wrap(fault.Unavailable, "server.unavailable", err)
	}
	return openapi.GetHealth200JSONResponse{Status: openapi.HealthStatusOk, Version: s.Version}, nil
}
