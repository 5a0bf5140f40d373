package recognition_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/credential/recognition"
	"github.com/banyan-lms/banyan/internal/credential/schema"
	"github.com/banyan-lms/banyan/internal/credential/statuslist"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/signing"
)

const (
	oasis = identity.InstitutionID("01950000-0000-7000-8000-000000000001")
	river = identity.InstitutionID("01950000-0000-7000-8000-000000000002")
)

// press signs with a key for each institution.
type press struct {
	keys map[identity.InstitutionID]signing.Key
	next int
	now  time.Time

	revoked bool // every key
}

func didOf(in identity.InstitutionID) string {
	return "did:web:a.example:institutions:" + string(in[35:])
}

func (p *press) SignFor(_ context.Context, in identity.InstitutionID, write func(credential.Desk) ([]byte, error)) ([]byte, credential.Desk, error) {
	p.next++
	list := "01950000-0000-7000-8000-00000000000" + string(in[35:])
	d := credential.Desk{
		Base: "https://a.example", DID: didOf(in), Name: "School", ListID: statuslist.ID(list), List: "https://a.example/api/status-lists/" + list, Index: p.next, At: p.now,
	}
	raw, err := write(d)
	if err != nil {
		return nil, d, err
	}
	k := p.keys[in]
	doc, err := proof.Sign(raw, k, d.DID+"#"+k.Multikey(), d.At)
	return doc, d, err
}

func (p *press) SignedBy(ctx context.Context, in identity.InstitutionID, doc []byte) (keyring.Proven, error) {
	_, err := proof.Verify(ctx, doc, keyOf{didOf(in), p.keys[in].Multikey()})
	return keyring.Proven{Holds: err == nil, KeyRevoked: err == nil && p.revoked}, nil
}

type keyOf [2]string

func (k keyOf) ResolveMethod(_ context.Context, id string) (proof.Method, error) {
	if id != k[0]+"#"+k[1] {
		return proof.Method{}, errors.New("no such key")
	}
	return proof.Method{Controller: k[0], Multikey: k[1]}, nil
}

// rows is a store in memory.
type rows struct {
	all    []recognition.Recognition
	audits []audit.Entry
	lost   int // how many times a key is taken back before what it signed is stored
}

func (s *rows) InTx(_ context.Context, fn func(recognition.Store) error) error { return fn(s) }

func (s *rows) HoldKey(_ context.Context, id keyring.KeyID) (keyring.Key, error) {
	k := keyring.Key{ID: id}
	if s.lost > 0 {
		s.lost--
		k.RevokedAt = &time.Time{}
	}
	return k, nil
}

func (s *rows) Audit(_ context.Context, e audit.Entry) error {
	s.audits = append(s.audits, e)
	return nil
}

func (s *rows) CreateRecognition(_ context.Context, r recognition.Recognition) error {
	for _, o := range s.all {
		if o.ID == r.ID {
			return fault.New(fault.Conflict, "recognition.exists")
		}
	}
	s.all = append(s.all, r)
	return nil
}

func (s *rows) FindRecognition(_ context.Context, id recognition.ID) (recognition.Recognition, error) {
	for _, r := range s.all {
		if r.ID == id {
			return r, nil
		}
	}
	return recognition.Recognition{}, fault.New(fault.NotFound, "recognition.not_found")
}

func (s *rows) ListRecognitions(_ context.Context, f recognition.Filter, after recognition.ID, limit int) (out []recognition.Recognition, _ error) {
	for _, r := range s.all {
		over := r.EndedAt != nil || r.ValidUntil != nil && !r.ValidUntil.After(f.Holding)
		if r.ID > after && len(out) < limit && (f.By == "" || f.By == r.InstitutionID) && (f.Holding.IsZero() || !over) &&
			(f.Achievement == "" || f.Achievement == r.OfAchievement) && (f.Of == "" || f.Of == r.OfDID) {
			out = append(out, r)
		}
	}
	return out, nil
}

func (s *rows) ListGivers(context.Context) ([]identity.InstitutionID, error) { return nil, nil }

func (s *rows) EndRecognition(_ context.Context, id recognition.ID, at time.Time) (bool, error) {
	for i := range s.all {
		if s.all[i].ID == id && s.all[i].EndedAt == nil {
			s.all[i].EndedAt = &at
			return true, nil
		}
	}
	return false, nil
}

type bench struct {
	*recognition.Service
	rows  *rows
	press *press
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{rows: &rows{}, press: &press{keys: map[identity.InstitutionID]signing.Key{}, now: time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)}}
	for _, in := range []identity.InstitutionID{oasis, river} {
		k, err := signing.Generate(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		b.press.keys[in] = k
	}
	b.Service = &recognition.Service{Store: b.rows, Press: b.press, Keys: b.press, Now: func() time.Time { return b.press.now }, NewID: newID}
	return b
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func admin(in identity.InstitutionID) identity.Actor {
	return identity.Actor{UserID: "u", Memberships: []identity.Membership{{InstitutionID: in, Role: identity.Admin}}}
}

const (
	other       = "did:web:b.example:institutions:river"
	achievement = "https://b.example/en/courses/ai-basics"
)

func wish() recognition.New {
	return recognition.New{
		ID: recognition.ID(newID()), OfDID: other, OfAchievement: achievement + "@3",
		Terms: recognition.Terms{
			OfName: "AI basics", As: map[string]string{"en": "Module 1 of <our> course", "ar": "الوحدة الأولى"},
			Scope: map[string]string{"en": "Two credits"}, Conditions: map[string]string{"en": "Issued within three years"},
		},
	}
}

func TestRecognise(t *testing.T) {
	ctx, b := t.Context(), newBench(t)
	until := b.press.now.Add(time.Hour)
	n := wish()
	n.ValidUntil = &until
	r, err := b.Recognise(ctx, admin(oasis), oasis, n)
	if err != nil || r.State != recognition.Valid || r.OfAchievement != achievement || r.By != didOf(oasis) {
		t.Fatalf("%+v, %v", r, err)
	}
	var doc struct {
		Type    []string         `json:"type"`
		Proof   []map[string]any `json:"proof"`
		Subject map[string]any   `json:"credentialSubject"`
		Status  map[string]any   `json:"credentialStatus"`
	}
	if err := json.Unmarshal(r.Document, &doc); err != nil {
		t.Fatal(err)
	}
	schema.Passes(t, schema.Endorsement, r.Document)
	if len(doc.Proof) != 2 || doc.Type[1] != "EndorsementCredential" || doc.Subject["id"] != achievement || doc.Status["statusPurpose"] != "revocation" {
		t.Errorf("%s", r.Document)
	}
	again, err := b.Recognise(ctx, admin(oasis), oasis, n)
	if err != nil || !reflect.DeepEqual(again.Document, r.Document) || len(b.rows.all) != 1 || len(b.rows.audits) != 1 {
		t.Errorf("asked twice: %d rows, %d entries, %v", len(b.rows.all), len(b.rows.audits), err)
	}

	// For credentials of exactly that issuer, whatever their version.
	for _, tt := range []struct {
		issuer, of string
		want       int
	}{
		{other, achievement + "@1", 1},
		{other, achievement, 1},
		{other, achievement + "-2@1", 0},
		{"did:web:b.example.evil.example:institutions:river", achievement, 0},
		{"did:web:b.example:institutions:Rіver", achievement, 0}, // a Cyrillic і
		{"did:web:B.example:institutions:river", achievement, 0},
		{strings.ToUpper(other), achievement, 0},
		{"", achievement, 0},
		{other, "", 0},
	} {
		if got, err := b.For(ctx, tt.issuer, tt.of); err != nil || len(got) != tt.want {
			t.Errorf("%s, %s: %d, %v", tt.issuer, tt.of, len(got), err)
		}
	}
	b.press.now = until
	if got, err := b.For(ctx, other, achievement); err != nil || len(got) != 0 {
		t.Errorf("after its end: %v, %v", got, err)
	}
	if list, err := b.List(ctx, recognition.Filter{}, "", 10); err != nil || len(list) != 1 || list[0].State != recognition.Expired {
		t.Errorf("%+v, %v", list, err)
	}
}

// What a key signed that was taken back before it was stored is signed again, by the key of then.
func TestAKeyIsTakenBack(t *testing.T) {
	b := newBench(t)
	b.rows.lost = 2
	r, err := b.Recognise(t.Context(), admin(oasis), oasis, wish())
	if err != nil || b.press.next != 3 || len(b.rows.all) != 1 || r.Index != 3 {
		t.Errorf("%+v, %v, signed %d times", r, err, b.press.next)
	}
	b.rows.lost = 100
	n := wish()
	n.ID = recognition.ID(newID())
	var f *fault.Error
	if _, err := b.Recognise(t.Context(), admin(oasis), oasis, n); !errors.As(err, &f) || f.Key != keyring.Withdrawn || len(b.rows.all) != 1 {
		t.Errorf("%v", err)
	}
}

func TestEnd(t *testing.T) {
	ctx, b := t.Context(), newBench(t)
	r, err := b.Recognise(ctx, admin(oasis), oasis, wish())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.End(ctx, admin(river), river, r.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("another institution's: %v", err)
	}
	for range 2 {
		if err := b.End(ctx, admin(oasis), oasis, r.ID); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.rows.audits) != 2 {
		t.Errorf("%d entries", len(b.rows.audits))
	}
	// The signed document is still there and genuine, and yet it is told as ended.
	if got, err := b.Find(ctx, r.ID); err != nil || got.State != recognition.Ended || got.EndedAt == nil {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := b.For(ctx, other, achievement); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	// Nobody brings it back under its id.
	n := wish()
	n.ID = r.ID
	if got, err := b.Recognise(ctx, admin(oasis), oasis, n); err != nil || got.State != recognition.Ended {
		t.Errorf("%+v, %v", got, err)
	}
}

// What was signed by a key that was revoked later counts no more: nobody can tell when a stolen key signed.
func TestRevokedKey(t *testing.T) {
	ctx, b := t.Context(), newBench(t)
	r, err := b.Recognise(ctx, admin(oasis), oasis, wish())
	if err != nil {
		t.Fatal(err)
	}
	b.press.revoked = true
	if got, err := b.Find(ctx, r.ID); err != nil || got.State != recognition.KeyRevoked {
		t.Errorf("%+v, %v", got, err)
	}
	for what, list := range map[string]func() ([]recognition.Shown, error){
		"for":        func() ([]recognition.Shown, error) { return b.For(ctx, other, achievement) },
		"for course": func() ([]recognition.Shown, error) { return b.ForCourse(ctx, other, recognition.Course(achievement)) },
		"given":      func() ([]recognition.Shown, error) { return b.Given(ctx, oasis, 10) },
	} {
		if got, err := list(); err != nil || len(got) > 0 {
			t.Errorf("%s: %v, %v", what, got, err)
		}
	}
	if err := b.End(ctx, admin(oasis), oasis, r.ID); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Find(ctx, r.ID); err != nil || got.State != recognition.Ended {
		t.Errorf("%+v, %v", got, err)
	}
}

// However many were ended before, those that hold are found.
func TestManyEnded(t *testing.T) {
	ctx, b := t.Context(), newBench(t)
	for range 130 {
		n := wish()
		r, err := b.Recognise(ctx, admin(oasis), oasis, n)
		if err != nil {
			t.Fatal(err)
		}
		b.rows.all[len(b.rows.all)-1].EndedAt = &r.CreatedAt
	}
	var last recognition.Shown
	for range 3 {
		var err error
		if last, err = b.Recognise(ctx, admin(oasis), oasis, wish()); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := b.For(ctx, other, achievement+"@7"); err != nil || len(got) != 3 {
		t.Errorf("%d, %v", len(got), err)
	}
	if got, err := b.ForCourse(ctx, other, recognition.Course(achievement)); err != nil || len(got) != 3 {
		t.Errorf("%d, %v", len(got), err)
	}
	if got, err := b.ForCourse(ctx, other, "another"); err != nil || len(got) != 0 {
		t.Errorf("%d, %v", len(got), err)
	}
	if got, err := b.Given(ctx, oasis, 2); err != nil || len(got) != 2 || got[0].ID != last.ID {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := b.Given(ctx, river, 2); err != nil || len(got) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

// Whoever can write rows but has no key makes no recognition that counts.
func TestForged(t *testing.T) {
	ctx, b := t.Context(), newBench(t)
	r, err := b.Recognise(ctx, admin(oasis), oasis, wish())
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := b.Recognise(ctx, admin(river), river, wish())
	if err != nil {
		t.Fatal(err)
	}
	later := b.press.now.Add(time.Hour)
	for what, change := range map[string]func(r *recognition.Recognition){
		"by another's key":       func(r *recognition.Recognition) { r.Document = theirs.Document },
		"all of another's":       func(r *recognition.Recognition) { id := r.InstitutionID; *r = theirs.Recognition; r.InstitutionID = id },
		"of a look-alike":        func(r *recognition.Recognition) { r.OfDID = "did:web:b.example:institutions:rivers" },
		"of another achievement": func(r *recognition.Recognition) { r.OfAchievement += "-2" },
		"as something better":    func(r *recognition.Recognition) { r.Terms.As = map[string]string{"en": "A degree"} },
		"without conditions":     func(r *recognition.Recognition) { r.Terms.Conditions = nil },
		"longer":                 func(r *recognition.Recognition) { r.ValidUntil = &later },
		"since earlier":          func(r *recognition.Recognition) { r.CreatedAt = r.CreatedAt.Add(-time.Hour) },
		"by another name":        func(r *recognition.Recognition) { r.By = didOf(river) },
		"in another place":       func(r *recognition.Recognition) { r.Index++ },
		"changed bytes": func(r *recognition.Recognition) {
			r.Document = []byte(strings.Replace(string(r.Document), "Two credits", "Ten credits", 1))
		},
		"no document": func(r *recognition.Recognition) { r.Document = []byte("{}") },
	} {
		saved := b.rows.all[0]
		change(&b.rows.all[0])
		got, err := b.List(ctx, recognition.Filter{}, "", 10)
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if got[0].State != recognition.Invalid {
			t.Errorf("%s: %s", what, got[0].State)
		}
		b.rows.all[0] = saved
	}
	if got, err := b.Find(ctx, r.ID); err != nil || got.State != recognition.Valid {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	ctx, b := t.Context(), newBench(t)
	past := b.press.now.Add(-time.Second)
	for what, change := range map[string]func(n *recognition.New){
		"no DID":          func(n *recognition.New) { n.OfDID = "b.example" },
		"a DID with a #":  func(n *recognition.New) { n.OfDID += "#key" },
		"own":             func(n *recognition.New) { n.OfDID = didOf(oasis) },
		"no address":      func(n *recognition.New) { n.OfAchievement = "x" },
		"a script":        func(n *recognition.New) { n.OfAchievement = "javascript:alert(1)" },
		"with a password": func(n *recognition.New) { n.OfAchievement = "https://a:b@b.example/" },
		"as nothing":      func(n *recognition.New) { n.Terms.As = nil },
		"as blank":        func(n *recognition.New) { n.Terms.As = map[string]string{"en": "  "} },
		"no language":     func(n *recognition.New) { n.Terms.Scope = map[string]string{"<b>": "x"} },
		"an override":     func(n *recognition.New) { n.Terms.As = map[string]string{"en": "a\u202eb"} },
		"too long":        func(n *recognition.New) { n.Terms.OfName = strings.Repeat("x", 201) },
		"over already":    func(n *recognition.New) { n.ValidUntil = &past },
	} {
		n := wish()
		change(&n)
		if _, err := b.Recognise(ctx, admin(oasis), oasis, n); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	issuer := identity.Actor{UserID: "u", Memberships: []identity.Membership{{InstitutionID: oasis, Role: identity.Issuer}}}
	for who, by := range map[string]identity.Actor{"an issuer": issuer, "an admin of elsewhere": admin(river)} {
		if _, err := b.Recognise(ctx, by, oasis, wish()); !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %v", who, err)
		}
	}
	if len(b.rows.all) > 0 || len(b.rows.audits) > 0 {
		t.Errorf("%d rows", len(b.rows.all))
	}
}
