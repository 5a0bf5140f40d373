// Package web serves the pages that people read, each whole without JavaScript,
// and the files of the built front end.
package web

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/banyan-lms/banyan/api/middleware"
	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/credential/wallet"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/publishing"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/i18n"
	"github.com/banyan-lms/banyan/internal/identity"
)

// Courses is what the pages need of the curriculum.
type Courses interface {
	// List lists the newest version of every course, in pages; next is "" at the end.
	List(ctx context.Context, cursor string, limit int) (versions []curriculum.Version, next string, err error)
	FindLatest(ctx context.Context, course curriculum.CourseID) (curriculum.Version, error)
	FindVersionNumber(ctx context.Context, course curriculum.CourseID, number int) (curriculum.Version, error)
	PublicBlob(ctx context.Context, d blob.Digest) ([]byte, error)
}

var _ Courses = (*publishing.Service)(nil)

// Credentials is what the pages need to tell whether a certificate holds.
type Credentials interface {
	Check(ctx context.Context, id credential.ID) (credential.Standing, error)
}

var _ Credentials = (*credential.Service)(nil)

// Keys is what the pages need to tell whose keys are whose.
type Keys interface {
	DIDDocument(ctx context.Context, slug string) ([]byte, error)
	DIDDocumentAt(ctx context.Context, host string) ([]byte, error)
}

var _ Keys = (*keyring.Service)(nil)

// Shares is what the pages need of wallets.
type Shares interface {
	OpenShare(ctx context.Context, token string) (wallet.Shown, error)
}

var _ Shares = (*wallet.Service)(nil)

// Verifier tells what any credential is worth.
type Verifier interface {
	Verify(ctx context.Context, in []byte, o verifier.Options) (verifier.Report, error)
}

var _ Verifier = (*verifier.Verifier)(nil)

// Config is what a Site is made of. CacheBytes and Now may be left out.
type Config struct {
	Courses     Courses
	Credentials Credentials
	Keys        Keys // of issuers
	Verifier    Verifier
	Admit       func(*http.Request) error // counts a check, and refuses it when there are too many of one address
	Shares      Shares
	// Recognised tells what institutions take an achievement for; nil: for nothing.
	Recognised   func(context.Context, verifier.Achievement) ([]verifier.Recognition, error)
	Recognitions Recognitions // nil: there is no register
	// Names gives the names of an institution of this host, or of the issuer behind a DID, by language; none when nobody knows it.
	Names     func(ctx context.Context, in identity.InstitutionID, did string) map[string]string
	Bundles   Bundles
	Words     *i18n.Catalogue
	Dist      fs.FS                        // the built front end
	Pages     fs.FS                        // the skeletons
	PublicURL string                       // where the world finds this server, without a slash at the end
	Runtime   string                       // file of the Python that grades, for pages that run it too; none when empty
	Locale    string                       // of whoever has chosen none; "" leaves it to their browser
	Person    func(*http.Request) []string // the languages of who is signed in, the first first; nil asks nobody
	// Institutions are those of who is signed in: whom they trust counts in a check; nil asks nobody.
	Institutions func(*http.Request) []identity.InstitutionID
	CacheBytes   int64 // what rendered pages may take; 32 MiB when 0
	Now          func() time.Time
}

// freshness is how long the newest version of a course may go unnoticed.
const freshness = time.Second

// mostCourses bounds the catalogue page.
const mostCourses = 1000

// Site serves the pages. Its pages are the same for everybody: none depends on who is signed in. Only where the address names no
// language, the language does.
type Site struct {
	cfg        Config
	assets     *assets
	frame      *runFrame // nil when the front end is not built
	packs      packs
	packsKept  packsByAddress
	languages  map[string]*language
	apps       map[string]*page // of /app/, by locale
	shells     map[string]*page // what devices keep, by locale
	manifests  map[string]*page // web app manifests, by locale
	cache      *cache
	compressor compressor
	latest     *fresh[curriculum.CourseID, *curriculum.Version]
	listing    *fresh[string, listing]
}

// listing is the catalogue at a moment. Two with the same stamp are the same.
type listing struct {
	versions []curriculum.Version
	stamp    string
}

// language is a locale with its words already in the skeletons.
type language struct {
	locale, dir, name string
	skeletons         skeletons
}

// New prepares everything that does not depend on courses. It fails when a skeleton breaks its contract,
// a word is missing, or the built front end is not whole.
func New(cfg Config) (*Site, error) {
	if cfg.CacheBytes == 0 {
		cfg.CacheBytes = 32 << 20
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cfg.PublicURL = strings.TrimRight(cfg.PublicURL, "/")
	s := &Site{cfg: cfg, languages: map[string]*language{}, apps: map[string]*page{}, shells: map[string]*page{}, manifests: map[string]*page{}, cache: newCache(cfg.CacheBytes)}
	s.latest = newFresh(freshness, cfg.Now, func(ctx context.Context, id curriculum.CourseID) (*curriculum.Version, error) {
		v, err := cfg.Courses.FindLatest(ctx, id)
		return &v, err
	})
	s.listing = newFresh(freshness, cfg.Now, func(ctx context.Context, _ string) (listing, error) { return s.list(ctx) })
	var err error
	if s.assets, err = loadAssets(cfg.Dist); err != nil {
		return nil, err
	}
	if s.frame, err = loadRunFrame(s.assets, cfg.Dist); err != nil {
		return nil, fmt.Errorf("read the built front end: %w", err)
	}
	if s.packs.light, err = lightPack(cfg.Dist); err != nil {
		return nil, fmt.Errorf("read the light pack: %w", err)
	}
	if cfg.Runtime != "" {
		go s.loadExact()
	}
	templates, err := loadSkeletons(cfg.Pages)
	if err != nil {
		return nil, err
	}
	for _, locale := range cfg.Words.Locales() {
		bound, err := templates.in(func(key string) (string, bool) {
			w := cfg.Words.T(locale, key, nil)
			return w, w != key
		})
		if err != nil {
			return nil, fmt.Errorf("in %s: %w", locale, err)
		}
		s.languages[locale] = &language{locale: locale, dir: i18n.Dir(locale), name: i18n.Name(locale), skeletons: bound}
	}
	for locale := range s.languages {
		if s.apps[locale], err = s.renderApp(locale); err != nil {
			return nil, err
		}
		if s.shells[locale], err = s.renderShell(locale); err != nil {
			return nil, err
		}
		if s.manifests[locale], err = s.renderManifest(locale); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Security is the middleware for the site and the API beside it: the CSP allows the one style sheet that stands in pages.
func (s *Site) Security() echo.MiddlewareFunc {
	return Security(s.inlineStyles()...)
}

func (s *Site) inlineStyles() []string {
	if s.assets.css == "" {
		return nil
	}
	return []string{s.assets.css}
}

// Register adds the site's routes. What no route takes is for ErrorHandler.
func (s *Site) Register(e *echo.Echo) {
	get := func(path string, h echo.HandlerFunc) {
		h = s.problems(h)
		e.GET(path, h)
		e.HEAD(path, h)
	}
	get("/", s.root)
	get("/:locale", s.toCatalogue)
	get("/:locale/", s.catalogue)
	get("/:locale/courses", s.toCatalogue)
	get("/:locale/courses/", s.toCatalogue)
	get("/:locale/courses/:course", s.course)
	get("/:locale/courses/:course/", s.toCourse)
	get("/:locale/courses/:course/:item", s.item)
	get("/verify", s.toVerifyForm)
	get("/:locale/verify", s.verifyForm)
	e.POST("/:locale/verify", s.problems(s.verifyPosted))
	get("/verify/:id", s.verify)
	get("/:locale/verify/:id", s.verify)
	if s.cfg.Recognitions != nil {
		get("/:locale/recognitions", s.recognitions)
		get("/:locale/recognitions/:id", s.recognition)
	}
	get("/s/:token", s.shared)
	get("/:locale/s/:token", s.shared)
	get("/institutions/:slug/did.json", s.did)
	get("/.well-known/did.json", s.hostDID)
	get("/app", s.app)
	get("/app/*", s.app)
	get("/assets/*", s.asset)
	get("/shell/:file", s.shell)
	get("/manifest.webmanifest", s.webManifest)
	get(workerFile, s.serviceWorker)
	get("/media/:file", s.media)
	get("/lab/frame", s.labFrame)
	get("/packs.json", s.packsJSON)
	get("/packs/*", s.pack)
	get("/bundles/:version/:file", s.bundleFile)
	get("/bundles/:version/:locale/:file", s.bundlePart)
	for path := range s.assets.files {
		if !strings.HasPrefix(path, "/assets/") && path != workerFile {
			get(path, s.asset)
		}
	}
}

// errNoPage says that an address leads nowhere.
var errNoPage = fault.New(fault.NotFound, "request.not_found")

// ErrorHandler answers with a page what Echo itself and middleware refuse: an
// address without a route, a method, a limit. It is for addresses outside /api/.
func (s *Site) ErrorHandler(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	var he *echo.HTTPError
	var f *fault.Error
	if errors.As(err, &he) && !errors.As(err, &f) {
		switch {
		case he.Code == http.StatusNotFound:
			err = errNoPage
		case he.Code == http.StatusMethodNotAllowed:
			err = &refusal{status: he.Code, key: "request.bad_method", cause: err}
		case he.Code < http.StatusInternalServerError:
			err = &refusal{status: he.Code, key: "request.invalid", cause: err}
		}
	}
	if err := s.problem(c, err); err != nil {
		slog.ErrorContext(c.Request().Context(), "write problem page", "path", middleware.LogPath(c.Request().URL.Path), "err", err)
	}
}

// problems turns the error of a handler into the problem page.
func (s *Site) problems(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		err := next(c)
		switch {
		case err == nil:
			return nil
		case c.Response().Committed:
			return nil // the reader left while the page was on its way
		case strings.HasPrefix(c.Request().URL.Path, "/api/"):
			return echo.ErrNotFound
		}
		return s.problem(c, err)
	}
}

// root sends a reader to the catalogue in their language.
func (s *Site) root(c echo.Context) error {
	return s.redirect(c, http.StatusFound, "/"+s.reader(c)+"/")
}

func (s *Site) toCatalogue(c echo.Context) error {
	locale := c.Param("locale")
	if s.languages[locale] == nil {
		return errNoPage
	}
	return s.redirect(c, http.StatusMovedPermanently, "/"+locale+"/")
}

func (s *Site) toCourse(c echo.Context) error {
	locale := c.Param("locale")
	course, number, ok := parseCourse(c.Param("course"))
	if s.languages[locale] == nil || !ok {
		return errNoPage
	}
	return s.redirect(c, http.StatusMovedPermanently, courseHref(locale, course, number))
}

func (s *Site) redirect(c echo.Context, status int, to string) error {
	h := c.Response().Header()
	if status == http.StatusFound {
		h["Cache-Control"] = noStore
		h.Add("Vary", "Accept-Language, Cookie")
	}
	return c.Redirect(status, to)
}

// LocaleCookie keeps the language that a reader chose in the page.
const LocaleCookie = "banyan_locale"

// reader chooses the language where the address does not say it: what was chosen on this device, else the account's, else the
// institution's or the host's, else what the browser asks for.
func (s *Site) reader(c echo.Context) string {
	var prefs []string
	if cookie, err := c.Cookie(LocaleCookie); err == nil {
		prefs = append(prefs, cookie.Value)
	}
	if s.cfg.Person != nil {
		prefs = append(prefs, s.cfg.Person(c.Request())...)
	}
	return s.cfg.Words.Match(append(prefs, s.cfg.Locale, c.Request().Header.Get("Accept-Language"))...)
}

func (s *Site) catalogue(c echo.Context) error {
	locale := c.Param("locale")
	if s.languages[locale] == nil {
		return errNoPage
	}
	ctx := c.Request().Context()
	all, err := s.listing.find(ctx, "")
	if err != nil {
		return err
	}
	p, err := s.cache.findOrRender(ctx, key{locale: locale, item: all.stamp}, func(context.Context) (*page, error) {
		return s.renderCatalogue(locale, all.versions)
	})
	if err != nil {
		return err
	}
	return s.compressor.serve(c, p)
}

func (s *Site) list(ctx context.Context) (listing, error) {
	var all listing
	var stamp strings.Builder
	for cursor := ""; ; {
		versions, next, err := s.cfg.Courses.List(ctx, cursor, 100)
		if err != nil {
			return listing{}, err
		}
		for _, v := range versions {
			all.versions = append(all.versions, v)
			fmt.Fprintf(&stamp, "%s@%d ", v.CourseID, v.Number)
		}
		if next == "" || next == cursor {
			break
		}
		if len(all.versions) >= mostCourses {
			slog.WarnContext(ctx, "the catalogue page leaves out courses", "shown", len(all.versions))
			break
		}
		cursor = next
	}
	all.stamp = string(blob.Of([]byte(stamp.String())))
	return all, nil
}

func (s *Site) course(c echo.Context) error { return s.coursePage(c, "") }

func (s *Site) item(c echo.Context) error {
	item := c.Param("item")
	if !isID(item) {
		return errNoPage
	}
	return s.coursePage(c, item)
}

// coursePage serves a page of a course version. When the page is ready and its
// version pinned, this asks nobody; for the newest version it asks once a second.
func (s *Site) coursePage(c echo.Context, item string) error {
	locale := c.Param("locale")
	if s.languages[locale] == nil {
		return errNoPage
	}
	course, number, ok := parseCourse(c.Param("course"))
	if !ok {
		return errNoPage
	}
	k := key{locale: locale, course: course, number: number, item: item, pinned: number > 0}
	ctx := c.Request().Context()
	var version *curriculum.Version
	if !k.pinned {
		latest, err := s.latest.find(ctx, curriculum.CourseID(course))
		if err != nil {
			return err
		}
		version, k.number = latest, latest.Number
	}
	p, err := s.cache.findOrRender(ctx, k, func(ctx context.Context) (*page, error) {
		if version == nil {
			v, err := s.cfg.Courses.FindVersionNumber(ctx, curriculum.CourseID(course), number)
			if err != nil {
				return nil, err
			}
			version = &v
		}
		return s.renderCoursePage(ctx, k, version)
	})
	if err != nil {
		return err
	}
	return s.compressor.serve(c, p)
}

// isID tells whether s has the form of the ids of courses and items (docs/course-format.md).
func isID(s string) bool {
	if len(s) < 2 || len(s) > 64 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// parseCourse reads "course" or "course@3". Each version has exactly one address.
func parseCourse(param string) (course string, number int, ok bool) {
	if strings.Contains(param, "%") { // some senders of links write @ as %40
		plain, err := url.PathUnescape(param)
		if err != nil {
			return "", 0, false
		}
		param = plain
	}
	course, digits, pinned := strings.Cut(param, "@")
	if !isID(course) {
		return "", 0, false
	}
	if !pinned {
		return course, 0, true
	}
	number, err := strconv.Atoi(digits)
	if err != nil || number < 1 || number > 1<<30 || strconv.Itoa(number) != digits {
		return "", 0, false
	}
	return course, number, true
}

func courseHref(locale, course string, number int) string {
	href := "/" + locale + "/courses/" + course
	if number > 0 {
		href += "@" + strconv.Itoa(number)
	}
	return href
}

// app serves the one page of the app under /app/.
func (s *Site) app(c echo.Context) error {
	c.Response().Header().Add("Vary", "Accept-Language, Cookie")
	return s.compressor.serve(c, s.apps[s.reader(c)])
}

// asset serves a file by its exact address.
func (s *Site) asset(c echo.Context) error {
	p := s.assets.files[c.Request().URL.Path]
	if p == nil {
		// No page for a person: a script or a style sheet was asked for.
		c.Response().Header()["Cache-Control"] = noStore
		return c.String(http.StatusNotFound, s.cfg.Words.T(s.reader(c), errNoPage.Key, nil)+"\n")
	}
	if strings.HasSuffix(c.Request().URL.Path, ".js") || strings.HasSuffix(c.Request().URL.Path, ".css") {
		// These speak to documents. With a script or a style sheet they are half a kilobyte that a
		// learner pays for each file. A worker's script would need the policy: it has none in /assets/.
		h := c.Response().Header()
		for _, name := range documentHeaders {
			delete(h, name)
		}
	}
	return s.compressor.serve(c, p)
}

var documentHeaders = []string{"Content-Security-Policy", "Referrer-Policy", "Cross-Origin-Opener-Policy", "Permissions-Policy", Mark}

// did serves the DID document of an institution. Verifiers anywhere may read it.
func (s *Site) did(c echo.Context) error {
	return s.serveDID(c, func(ctx context.Context) ([]byte, error) { return s.cfg.Keys.DIDDocument(ctx, c.Param("slug")) })
}

// hostDID serves the DID document of the institution whose own domain was asked for it.
func (s *Site) hostDID(c echo.Context) error {
	host, _, _ := strings.Cut(c.Request().Host, ":")
	c.Response().Header().Add("Vary", "Host")
	return s.serveDID(c, func(ctx context.Context) ([]byte, error) {
		return s.cfg.Keys.DIDDocumentAt(ctx, strings.ToLower(host))
	})
}

func (s *Site) serveDID(c echo.Context, find func(context.Context) ([]byte, error)) error {
	doc, err := find(c.Request().Context())
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	return s.compressor.serve(c, newPage("application/did+json", revalidate, doc))
}
