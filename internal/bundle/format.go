// Package bundle is the form in which a course version travels: a signed root over manifests over blobs.
//
// The bytes are written down in docs/bundle-format.md; internal/bundle/testdata holds them to it, for this
// package and for the page's reader alike.
package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
)

// Format is the newest form of documents that this program reads and writes.
const Format = 1

// What is larger is refused, so that a hostile bundle costs neither memory nor time.
const (
	MaxFrame    = 16 << 20 // one frame, and so one blob
	MaxSigned   = 64 << 10 // a signed document with its signatures
	MaxManifest = 1 << 20  // an edition, a module or an item
	maxDepth    = 16       // of JSON
	maxSigners  = 4        // of one document
	MaxSerials  = 256      // of one publisher
	MaxNamed    = 1 << 17  // digests that one root may name
)

// Layer is the kind of blobs that a tier adds.
type Layer string

// The layers, from the one that everybody needs to the dearest.
const (
	Text  Layer = "text"
	Image Layer = "image"
	Audio Layer = "audio"
)

// Layers are all of them in order.
var Layers = []Layer{Text, Image, Audio}

// Time is an instant in whole seconds, written like 2026-01-02T15:04:05Z.
type Time struct{ time.Time }

const timeForm = "2006-01-02T15:04:05Z"

// At cuts a time to what a document can say.
func At(t time.Time) Time { return Time{t.UTC().Truncate(time.Second)} }

// MarshalText implements encoding.TextMarshaler.
func (t Time) MarshalText() ([]byte, error) { return []byte(t.UTC().Format(timeForm)), nil }

// MarshalJSON hides the one of time.Time, which writes fractions.
func (t Time) MarshalJSON() ([]byte, error) { return []byte(t.UTC().Format(`"` + timeForm + `"`)), nil }

// UnmarshalJSON takes the one form alone.
func (t *Time) UnmarshalJSON(raw []byte) error {
	parsed, err := time.Parse(`"`+timeForm+`"`, string(raw))
	if err != nil || parsed.Format(`"`+timeForm+`"`) != string(raw) {
		return fmt.Errorf("%.40q is no time like %s", raw, timeForm)
	}
	t.Time = parsed
	return nil
}

// Bytes are sizes of blobs by layer. Manifests count as text.
type Bytes struct {
	Text  int64 `json:"text"`
	Image int64 `json:"image"`
	Audio int64 `json:"audio"`
}

// Of gives the size of one layer.
func (b Bytes) Of(l Layer) int64 {
	switch l {
	case Image:
		return b.Image
	case Audio:
		return b.Audio
	default:
		return b.Text
	}
}

// Sum is all of it.
func (b Bytes) Sum() int64 { return b.Text + b.Image + b.Audio }

// Add counts a blob of a layer.
func (b *Bytes) Add(l Layer, n int64) {
	switch l {
	case Image:
		b.Image += n
	case Audio:
		b.Audio += n
	default:
		b.Text += n
	}
}

// Root is the signed top of a bundle. It names one edition a language.
type Root struct {
	Type         string                 `json:"type"`
	Format       int                    `json:"format"`
	Publisher    string                 `json:"publisher"`
	Course       string                 `json:"course"`
	Number       int                    `json:"number"`
	Version      blob.Digest            `json:"version"` // of the curriculum's manifest
	PublishedAt  Time                   `json:"published_at"`
	SignedAt     Time                   `json:"signed_at"`
	SourceLocale string                 `json:"source_locale"`
	Licence      string                 `json:"licence"`
	Authors      []string               `json:"authors"`
	Editions     map[string]EditionRef  `json:"editions"`
	Runtimes     map[string]blob.Digest `json:"runtimes,omitempty"` // Pythons that the labs were tried with
}

// EditionRef names an edition.
type EditionRef struct {
	Digest blob.Digest `json:"digest"`
	Size   int64       `json:"size"`
	Bytes  Bytes       `json:"bytes"` // of all below
}

// Edition is a course in one language.
type Edition struct {
	Type        string              `json:"type"`
	Course      string              `json:"course"`
	Locale      string              `json:"locale"`
	Title       string              `json:"title"`
	TitleLang   string              `json:"title_lang,omitempty"` // when it is not the locale's
	Summary     string              `json:"summary"`
	SummaryLang string              `json:"summary_lang,omitempty"`
	Minutes     int                 `json:"minutes"`
	Criteria    curriculum.Criteria `json:"criteria"`
	Achievement Achievement         `json:"achievement"`
	// Competences that the items serve, sorted, where the achievement names none: what the course's page says.
	Competences []string    `json:"competences,omitempty"`
	Modules     []ModuleRef `json:"modules"`
}

// Achievement is what the certificate attests.
type Achievement struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Narrative   string   `json:"narrative"`
	Competences []string `json:"competences,omitempty"`
}

// ModuleRef names a module.
type ModuleRef struct {
	ID        string      `json:"id"`
	Title     string      `json:"title"`
	TitleLang string      `json:"title_lang,omitempty"`
	Digest    blob.Digest `json:"digest"`
	Size      int64       `json:"size"`
	Bytes     Bytes       `json:"bytes"`
}

// Module is a part of an edition.
type Module struct {
	Type  string    `json:"type"`
	ID    string    `json:"id"`
	Items []ItemRef `json:"items"`
}

// ItemRef names an item.
type ItemRef struct {
	ID        string          `json:"id"`
	Kind      curriculum.Kind `json:"kind"`
	Graded    bool            `json:"graded,omitempty"`
	Title     string          `json:"title"`
	TitleLang string          `json:"title_lang,omitempty"`
	Weight    int             `json:"weight,omitempty"` // bytes that it takes to send, as the course's page says
	Digest    blob.Digest     `json:"digest"`
	Size      int64           `json:"size"`
	Bytes     Bytes           `json:"bytes"`
}

// Item is a lesson, a quiz or a lab.
type Item struct {
	Type        string                  `json:"type"`
	ID          string                  `json:"id"`
	Kind        curriculum.Kind         `json:"kind"`
	Competences []string                `json:"competences,omitempty"`
	Words       int                     `json:"words,omitempty"`
	Translation *curriculum.Translation `json:"translation,omitempty"` // absent in the source language
	Blobs       []BlobRef               `json:"blobs"`
}

// Role is what a blob is to its item.
type Role string

// The roles.
const (
	Fragment Role = "fragment" // HTML of a lesson or a lab
	Data     Role = "data"     // JSON of a quiz or a lab
	Media    Role = "media"    // what a fragment shows
)

// BlobRef names a blob.
type BlobRef struct {
	Role      Role        `json:"role"`
	Digest    blob.Digest `json:"digest"`
	Size      int64       `json:"size"`
	Layer     Layer       `json:"layer"`
	MediaType string      `json:"media_type,omitempty"`
	Href      string      `json:"href,omitempty"` // under which fragments show it
}

// Publisher is one serial of a publisher's signed list of keys.
type Publisher struct {
	Type     string            `json:"type"`
	Format   int               `json:"format"`
	ID       string            `json:"id"` // did:web:…
	Name     map[string]string `json:"name"`
	Serial   int               `json:"serial"`
	Previous blob.Digest       `json:"previous,omitempty"` // of the whole signed document before
	SignedAt Time              `json:"signed_at"`
	Keys     []PublisherKey    `json:"keys"`
}

// PublisherKey is a key and when it may sign.
type PublisherKey struct {
	Key   string `json:"key"` // Multikey, z6Mk…
	From  Time   `json:"from"`
	Until Time   `json:"until"`
}

// Trust is what a publisher says about issuers of certificates, so that these can be checked offline.
type Trust struct {
	Type      string   `json:"type"`
	Format    int      `json:"format"`
	Publisher string   `json:"publisher"`
	SignedAt  Time     `json:"signed_at"`
	Issuers   []Issuer `json:"issuers"`
	// Recognitions between issuers that this publisher stands for.
	Recognitions []Recognition `json:"recognitions,omitempty"`
}

// Issuer is one that signs certificates.
type Issuer struct {
	DID     string            `json:"did"`
	Names   map[string]string `json:"names"`             // by language; `und` when that is not known
	Country string            `json:"country,omitempty"` // ISO 3166-1, two capital letters
	Keys    []IssuerKey       `json:"keys"`
	Lists   []StatusList      `json:"lists"`
}

// IssuerKey is a key of an issuer. What it signed before it retired stays good; what it signed since it was revoked is worth nothing.
type IssuerKey struct {
	Key     string `json:"key"`
	From    Time   `json:"from"`
	Retired *Time  `json:"retired,omitempty"`
	Revoked *Time  `json:"revoked,omitempty"`
}

// Purpose is what a bit in a status list means.
type Purpose string

// The purposes. A list without one is for revocation.
const (
	Revocation Purpose = "revocation"
	Suspension Purpose = "suspension"
)

// StatusList names the blob of a signed status list.
type StatusList struct {
	URL      string      `json:"url"`
	Purpose  Purpose     `json:"purpose,omitempty"`
	SignedAt *Time       `json:"signed_at,omitempty"` // by the issuer; that is how old its word is
	Digest   blob.Digest `json:"digest"`
	Size     int64       `json:"size"`
}

// Recognition names the blob of a signed word of one issuer: it takes an achievement of another for one of its own.
type Recognition struct {
	ID     string            `json:"id"`
	By     string            `json:"by"` // DID
	Of     Recognised        `json:"of"`
	As     map[string]string `json:"as"` // what it counts as, by language
	From   Time              `json:"from"`
	Until  *Time             `json:"until,omitempty"`
	Digest blob.Digest       `json:"digest"` // of the EndorsementCredential
	Size   int64             `json:"size"`
}

// Recognised is what is recognised.
type Recognised struct {
	DID    string `json:"did"`
	Course string `json:"course"`
}

// Refuse makes the fault of a reason why a bundle is not taken.
func Refuse(reason string, cause error) *fault.Error {
	code := fault.Invalid
	switch reason {
	case "unknown_publisher":
		code = fault.Denied
	case "rollback", "other_publisher":
		code = fault.Conflict
	case "no_space":
		code = fault.Unavailable
	}
	return fault.Wrap(code, "bundle."+reason, cause)
}

// Damaged refuses what no sound carrier brings.
func Damaged(format string, args ...any) error { return Refuse("damaged", fmt.Errorf(format, args...)) }

// Mixed refuses what is sound and stands in the place of something else.
func Mixed(format string, args ...any) error { return Refuse("mixed", fmt.Errorf(format, args...)) }

// NotFound makes the fault of what is not here.
func NotFound(cause error) error { return fault.Wrap(fault.NotFound, "bundle.not_found", cause) }

// NoSpace names a full disk, and gives every other error back.
func NoSpace(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return Refuse("no_space", err)
	}
	return err
}

// Line writes a document on one line, with its members in the order of the Go struct.
func Line(doc any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(doc); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// parse reads a document of a type. Members that it does not know are left alone: later programs may add some.
func parse(raw []byte, kind string, limit int, into any) error {
	if len(raw) > limit {
		return Damaged("a %s of %d bytes", kind, len(raw))
	}
	if bytes.IndexByte(raw, '\n') >= 0 || !utf8.Valid(raw) {
		return Damaged("a %s is one line of UTF-8", kind)
	}
	if err := scan(raw); err != nil {
		return Damaged("read a %s: %w", kind, err)
	}
	var head struct {
		Type   string `json:"type"`
		Format int    `json:"format"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return Damaged("read a %s: %w", kind, err)
	}
	if head.Type != kind {
		return Mixed("a %.20q in the place of a %s", head.Type, kind)
	}
	if head.Format > Format {
		return Refuse("too_new", fmt.Errorf("a %s of format %d", kind, head.Format))
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return Damaged("read a %s: %w", kind, err)
	}
	return nil
}

// scan refuses what two readers might understand differently: members named twice, and what stands too deep.
func scan(raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := scanValue(d, 0); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the document")
	}
	return nil
}

func scanValue(d *json.Decoder, depth int) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	open, ok := t.(json.Delim)
	if !ok {
		if t == nil {
			return errors.New("null")
		}
		return nil
	}
	if depth >= maxDepth {
		return errors.New("too deep")
	}
	names := map[string]bool{}
	for d.More() {
		if open == '{' {
			name, err := d.Token()
			if err != nil {
				return err
			}
			// encoding/json takes Digest for digest.
			if n := strings.ToLower(name.(string)); names[n] {
				return fmt.Errorf("%.40q stands twice", n)
			} else if names[n] = true; len(names) > MaxNamed {
				return errors.New("too many members")
			}
		}
		if err := scanValue(d, depth+1); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

var (
	nameForm    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`) // safe in paths and addresses
	localeForm  = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$`)
	didForm     = regexp.MustCompile(`^did:web:[A-Za-z0-9.%:_-]{1,400}$`)
	countryForm = regexp.MustCompile(`^[A-Z]{2}$`)
	hrefForm    = regexp.MustCompile(`^/media/([0-9a-f]{64})\.[a-z0-9]{1,5}$`)
)

// IsName tells whether a course, a module or an item may be named so: it is safe in paths and addresses.
func IsName(s string) bool { return nameForm.MatchString(s) }

// IsLocale tells whether a text has the form of a language tag.
func IsLocale(s string) bool { return localeForm.MatchString(s) }

// ParseRoot reads line 1 of a root.
func ParseRoot(raw []byte) (Root, error) {
	var r Root
	if err := parse(raw, "root", MaxSigned, &r); err != nil {
		return Root{}, err
	}
	if r.Format < 1 || !didForm.MatchString(r.Publisher) || !nameForm.MatchString(r.Course) || r.Number < 1 || !r.Version.Valid() ||
		len(r.Editions) == 0 || r.SignedAt.IsZero() || r.PublishedAt.IsZero() {
		return Root{}, Damaged("a root lacks what makes it one")
	}
	if _, ok := r.Editions[r.SourceLocale]; !ok {
		return Root{}, Damaged("a root without an edition in its source language")
	}
	for locale, e := range r.Editions {
		if !localeForm.MatchString(locale) || !named(e.Digest, e.Size, MaxManifest) || !e.Bytes.sound() {
			return Root{}, Damaged("edition %.20q is not named rightly", locale)
		}
	}
	for _, d := range r.Runtimes {
		if !d.Valid() {
			return Root{}, Damaged("a runtime is not named rightly")
		}
	}
	return r, nil
}

func (b Bytes) sound() bool { return b.Text >= 0 && b.Image >= 0 && b.Audio >= 0 }

func named(d blob.Digest, size int64, limit int64) bool {
	return d.Valid() && size >= 0 && size <= limit
}

// ParseEdition reads an edition.
func ParseEdition(raw []byte) (Edition, error) {
	var e Edition
	if err := parse(raw, "edition", MaxManifest, &e); err != nil {
		return Edition{}, err
	}
	ids := map[string]bool{}
	for _, m := range e.Modules {
		if !nameForm.MatchString(m.ID) || ids[m.ID] || !named(m.Digest, m.Size, MaxManifest) || !m.Bytes.sound() {
			return Edition{}, Damaged("module %.40q is not named rightly", m.ID)
		}
		ids[m.ID] = true
	}
	return e, nil
}

// ParseModule reads a module.
func ParseModule(raw []byte) (Module, error) {
	var m Module
	if err := parse(raw, "module", MaxManifest, &m); err != nil {
		return Module{}, err
	}
	ids := map[string]bool{}
	for _, it := range m.Items {
		if !nameForm.MatchString(it.ID) || ids[it.ID] || !named(it.Digest, it.Size, MaxManifest) || !it.Bytes.sound() ||
			it.Kind != curriculum.Lesson && it.Kind != curriculum.Quiz && it.Kind != curriculum.Lab {
			return Module{}, Damaged("item %.40q is not named rightly", it.ID)
		}
		ids[it.ID] = true
	}
	return m, nil
}

// ParseItem reads an item.
func ParseItem(raw []byte) (Item, error) {
	var it Item
	if err := parse(raw, "item", MaxManifest, &it); err != nil {
		return Item{}, err
	}
	for _, b := range it.Blobs {
		if !named(b.Digest, b.Size, MaxFrame) || !slices.Contains(Layers, b.Layer) || b.Role != Fragment && b.Role != Data && b.Role != Media {
			return Item{}, Damaged("a blob of item %.40q is not named rightly", it.ID)
		}
		if m := hrefForm.FindStringSubmatch(b.Href); b.Href != "" && (m == nil || m[1] != b.Digest.Hex()) {
			return Item{}, Damaged("a blob of item %.40q has the address %.90q", it.ID, b.Href)
		}
	}
	return it, nil
}
