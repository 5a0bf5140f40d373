package credential_test

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/forms"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/credential/statuslist"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/framework"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
	"github.com/banyan-lms/banyan/internal/learning"
	"github.com/banyan-lms/banyan/internal/signing"
)

var (
	oasis = id[identity.InstitutionID](1, 1)
	river = id[identity.InstitutionID](1, 2)
	layla = id[identity.UserID](2, 1)
	sam   = id[identity.UserID](2, 2)
)

// bench is a service over a store in memory, with a clock that stands still.
type bench struct {
	*credential.Service
	forms *forms.Service
	store *memory
	world *world
	now   time.Time
}

func newBench(t testing.TB) *bench {
	t.Helper()
	sealer, err := signing.NewEphemeral()
	if err != nil {
		t.Fatal(err)
	}
	version := curriculum.Version{
		ID: id[curriculum.VersionID](3, 1), CourseID: "ai-in-daily-life", Number: 3,
		Manifest: curriculum.Manifest{
			CourseID: "ai-in-daily-life", SourceLocale: "en", Locales: []string{"en", "ar"},
			Achievement: curriculum.Achievement{
				Name:        curriculum.Text{"en": "AI in daily life", "ar": "الذكاء الاصطناعي في الحياة اليومية"},
				Description: curriculum.Text{"en": "Explains <what> AI does & where it errs.", "ar": "يشرح ما يفعله الذكاء الاصطناعي وأين يخطئ."},
				Competences: []string{"cft.ethics.deepen", "cfs.ethics.apply", "gone.from.here"},
				Narrative:   curriculum.Text{"en": "Read every lesson.\n\tPassed \"both\" labs.", "ar": "قرأ كل الدروس واجتاز المختبرين."},
			},
		},
	}
	b := &bench{
		store: &memory{},
		now:   time.Date(2026, 11, 23, 5, 0, 0, 123_456_000, time.UTC),
		world: &world{
			enrollments: map[learning.EnrollmentID]learning.Enrollment{},
			versions:    map[curriculum.VersionID]curriculum.Version{version.ID: version},
			users: map[identity.UserID]identity.User{
				layla: {ID: layla, Username: "layla.h", DisplayName: "ليلى حداد", Locale: "ar-EG"},
				sam:   {ID: sam, Username: "sam.secret", DisplayName: "Sam O'Neil 😀"},
			},
			institutions: map[identity.InstitutionID]institution.Institution{
				oasis: {ID: oasis, Slug: "oasis", Name: "Oasis \"School\""},
				river: {ID: river, Slug: "river", Name: "مدرسة النهر"},
			},
		},
	}
	now, newID := func() time.Time { return b.now }, func() string { return uuid.Must(uuid.NewV7()).String() }
	ring := &keyring.Service{
		Store: keys{m: b.store}, Institutions: b.world, Sealer: sealer, PublicURL: "http://localhost:8080", Now: now, NewID: newID, Random: rand.Reader,
	}
	b.Service = &credential.Service{
		Store: b.store, Enrollments: b.world, Courses: b.world, People: b.world, Institutions: b.world, Words: words{},
		Keys: ring, Now: now, NewID: newID,
		Lists: &statuslist.Service{Store: b.store, Keys: ring, Now: now, NewID: newID, Random: rand.Reader},
	}
	b.forms = &forms.Service{Credentials: b.Service, Keys: ring}
	return b
}

func (b *bench) enroll(n int, user identity.UserID, in identity.InstitutionID) learning.EnrollmentID {
	e := learning.Enrollment{
		ID: id[learning.EnrollmentID](4, n), UserID: user, InstitutionID: in,
		CourseID: "ai-in-daily-life", VersionID: id[curriculum.VersionID](3, 1),
	}
	b.world.enrollments[e.ID] = e
	return e.ID
}

func (b *bench) issued(t testing.TB, n int, user identity.UserID, in identity.InstitutionID) credential.Credential {
	t.Helper()
	return b.granted(t, credential.Grant{EnrollmentID: b.enroll(n, user, in)})
}

func (b *bench) granted(t testing.TB, g credential.Grant) credential.Credential {
	t.Helper()
	cs, err := b.Prepare(t.Context(), g)
	if err == nil {
		err = b.store.CreateCredential(t.Context(), cs[0])
	}
	if err != nil {
		t.Fatal(err)
	}
	return cs[0]
}

func (b *bench) check(t testing.TB, id credential.ID, want credential.State) credential.Standing {
	t.Helper()
	st, err := b.Check(t.Context(), id)
	if err != nil || st.State != want {
		t.Fatalf("standing is %q, %v; want %q", st.State, err, want)
	}
	return st
}

func issuer(in identity.InstitutionID) identity.Actor {
	return identity.Actor{UserID: id[identity.UserID](2, 9), Memberships: []identity.Membership{{InstitutionID: in, Role: identity.Issuer}}}
}

func TestIssue(t *testing.T) {
	b := newBench(t)
	c := b.issued(t, 1, layla, oasis)
	if c.Name != "ليلى حداد" || c.Locale != "ar" || c.UserID != layla || c.InstitutionID != oasis ||
		c.VersionID != id[curriculum.VersionID](3, 1) || c.ExpiresAt != nil || !c.IssuedAt.Equal(b.now.Truncate(time.Second)) {
		t.Errorf("row is %+v", c)
	}
	st := b.check(t, c.ID, credential.Valid)
	if st.Claims.Achievement != "الذكاء الاصطناعي في الحياة اليومية" || st.Claims.Name != c.Name || st.Claims.IssuerName != `Oasis "School"` ||
		st.Claims.Issuer != "did:web:localhost%3A8080:institutions:oasis" || st.Claims.ID != "http://localhost:8080/verify/"+string(c.ID) {
		t.Errorf("claims are %+v", st.Claims)
	}
	var doc struct {
		Context []string         `json:"@context"`
		Proof   []map[string]any `json:"proof"`
		Status  []map[string]any `json:"credentialStatus"`
		Subject struct {
			Achievement map[string]any `json:"achievement"`
		} `json:"credentialSubject"`
	}
	if err := json.Unmarshal(c.Document, &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Context) != 2 || len(doc.Proof) != 2 || len(doc.Status) != 2 || doc.Status[0]["statusPurpose"] != "revocation" || doc.Status[1]["statusPurpose"] != "suspension" ||
		doc.Status[0]["id"] == doc.Status[1]["id"] || doc.Status[0]["id"] == doc.Status[0]["statusListCredential"] {
		t.Errorf("document is %s", c.Document)
	}
	if got := doc.Subject.Achievement["id"]; got != "http://localhost:8080/en/courses/ai-in-daily-life@3" {
		t.Errorf("achievement id is %v", got)
	}

	// What it aligns to, by names in the certificate's language and by addresses that stay.
	var aligned []string
	list, _ := doc.Subject.Achievement["alignment"].([]any)
	for _, v := range list {
		m, _ := v.(map[string]any)
		aligned = append(aligned, fmt.Sprint(m["targetType"], " ", m["targetCode"], " ", m["targetName"], " ", m["targetUrl"]))
	}
	if want := []string{
		"CFItem cfs.ethics.apply الاستخدام الآمن والمسؤول http://localhost:8080/ims/case/v1p1/CFItems/" + framework.Identifier("cfs.ethics.apply"),
		"CFItem cft.ethics.deepen الاستخدام الآمن والمسؤول http://localhost:8080/ims/case/v1p1/CFItems/" + framework.Identifier("cft.ethics.deepen"),
	}; !slices.Equal(aligned, want) {
		t.Errorf("aligned to %q", aligned)
	}

	// Nothing about the person but the name, and the learner without a language gets the course's.
	other := b.issued(t, 2, sam, oasis)
	for _, secret := range []string{"sam.secret", string(sam), string(other.EnrollmentID)} {
		if bytes.Contains(other.Document, []byte(secret)) {
			t.Errorf("the document holds %s", secret)
		}
	}
	if other.Locale != "en" || !bytes.Contains(other.Document, []byte("<what> AI does & where")) {
		t.Errorf("document is %s", other.Document)
	}
	b.check(t, other.ID, credential.Valid)
	if len(b.store.keys) != 1 || len(b.store.lists) != 2 {
		t.Errorf("%d keys, %d lists", len(b.store.keys), len(b.store.lists))
	}
}

// A certificate is in one language. Where the achievement has no name in the learner's, it is the one that stands in,
// and so the row has only names that were written.
func TestIssueInTheLanguageThatThereIs(t *testing.T) {
	b := newBench(t)
	v := b.world.versions[id[curriculum.VersionID](3, 1)]
	v.Manifest.Achievement.NameLang = curriculum.Langs{"ar": "en"}
	b.world.versions[v.ID] = v
	c := b.issued(t, 1, layla, oasis)
	if _, arabic := c.AchievementName["ar"]; c.Locale != "en" || arabic || c.AchievementName["en"] != "AI in daily life" {
		t.Errorf("%s: %v", c.Locale, c.AchievementName)
	}
	if st := b.check(t, c.ID, credential.Valid); st.Claims.Locale != "en" || st.Claims.Achievement != "AI in daily life" {
		t.Errorf("%+v", st.Claims)
	}
}

func TestPrepareErrs(t *testing.T) {
	tests := []struct {
		name   string
		change func(b *bench, e *learning.EnrollmentID)
	}{
		{"unknown enrollment", func(_ *bench, e *learning.EnrollmentID) { *e = "x" }},
		{"no enrollment", func(_ *bench, e *learning.EnrollmentID) { *e = "" }},
		{"unknown user", func(b *bench, _ *learning.EnrollmentID) { delete(b.world.users, layla) }},
		{"unknown version", func(b *bench, _ *learning.EnrollmentID) { clear(b.world.versions) }},
		{"unknown institution", func(b *bench, _ *learning.EnrollmentID) { clear(b.world.institutions) }},
		{"no public URL", func(b *bench, _ *learning.EnrollmentID) { b.Keys.PublicURL = "" }},
		{"odd public URL", func(b *bench, _ *learning.EnrollmentID) { b.Keys.PublicURL = "https://example.org/?x" }},
		{"no randomness", func(b *bench, _ *learning.EnrollmentID) { b.Lists.Random = strings.NewReader("") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			e := b.enroll(1, layla, oasis)
			tt.change(b, &e)
			if _, err := b.Prepare(t.Context(), credential.Grant{EnrollmentID: e}); err == nil || strings.Contains(err.Error(), "%!") {
				t.Errorf("error is %v", err)
			}
		})
	}
}

// drawn gives chosen places in the status list, then real randomness.
type drawn struct {
	keys  io.Reader
	mu    sync.Mutex
	draws [][4]byte
}

func (d *drawn) Read(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(p) == 4 && len(d.draws) > 0 {
		copy(p, d.draws[0][:])
		d.draws = d.draws[1:]
		return 4, nil
	}
	return d.keys.Read(p)
}

func TestPlacesInTheStatusList(t *testing.T) {
	b := newBench(t)
	d := &drawn{keys: rand.Reader}
	b.Lists.Random = d
	at := func(n byte) [4]byte { return [4]byte{0xff, 0xfe, 0, n} } // the high bits do not count
	d.draws = [][4]byte{at(7), at(7), at(7), at(8)}
	if c := b.issued(t, 1, layla, oasis); c.StatusIndex != 7 {
		t.Fatalf("first place is %d", c.StatusIndex)
	}
	if c := b.issued(t, 2, sam, oasis); c.StatusIndex != 8 || len(b.store.lists) != 2 {
		t.Fatalf("second place is %d", c.StatusIndex)
	}
	// Sixteen taken places in a row: the list counts as full and another begins.
	for range 16 {
		d.draws = append(d.draws, at(7))
	}
	c := b.issued(t, 3, sam, oasis)
	if len(b.store.lists) != 4 || c.StatusListID != b.store.lists[3].ID || c.SuspensionListID != b.store.lists[2].ID {
		t.Fatalf("%d lists", len(b.store.lists))
	}
	b.check(t, c.ID, credential.Valid)
	if c := b.issued(t, 4, sam, oasis); c.StatusListID != b.store.lists[3].ID {
		t.Error("the full list is still used")
	}
	for range 400 {
		c := b.issued(t, 10+len(b.store.credentials), sam, river)
		if c.StatusIndex < 0 || c.StatusIndex >= statuslist.Size {
			t.Fatalf("place %d", c.StatusIndex)
		}
	}
}

func TestCheck(t *testing.T) {
	b := newBench(t)
	b.Validity = 365 * 24 * time.Hour
	c := b.issued(t, 1, layla, oasis)
	b.check(t, c.ID, credential.Valid)

	b.now = c.ExpiresAt.Add(-time.Second)
	b.check(t, c.ID, credential.Valid)
	b.now = *c.ExpiresAt
	b.check(t, c.ID, credential.Expired)

	if err := b.Revoke(t.Context(), issuer(oasis), c.ID, "  issued in error "); err != nil {
		t.Fatal(err)
	}
	st := b.check(t, c.ID, credential.Revoked)
	if st.Credential.RevokedReason != "issued in error" || !st.Credential.RevokedAt.Equal(b.now) || !st.CheckedAt.Equal(b.now) {
		t.Errorf("standing is %+v", st)
	}
	for _, unknown := range []credential.ID{id[credential.ID](9, 9), "", "x", "' OR 1=1", credential.ID(strings.ToUpper(string(c.ID)))} {
		if _, err := b.Check(t.Context(), unknown); !fault.Is(err, fault.NotFound) {
			t.Errorf("%q: %v", unknown, err)
		}
	}
}

// Who can write into the database but has no key makes nothing valid.
func TestTamperedRowsAreInvalid(t *testing.T) {
	later := time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name   string
		change func(c, other *credential.Credential, m *memory)
	}{
		{"name in the row", func(c, _ *credential.Credential, _ *memory) { c.Name = "Sam O'Neil" }},
		{"name in both", func(c, _ *credential.Credential, _ *memory) {
			c.Name = "ليلى حدادة"
			c.Document = bytes.ReplaceAll(c.Document, []byte("ليلى حداد"), []byte("ليلى حدادة"))
		}},
		{"another's document", func(c, other *credential.Credential, _ *memory) { c.Document = other.Document }},
		{"another's document and name", func(c, other *credential.Credential, _ *memory) {
			c.Document, c.Name, c.Locale, c.StatusIndex = other.Document, other.Name, other.Locale, other.StatusIndex
		}},
		{"achievement", func(c, _ *credential.Credential, _ *memory) {
			c.AchievementName = curriculum.Text{"ar": "دكتوراه"}
		}},
		{"language", func(c, _ *credential.Credential, _ *memory) { c.Locale = "en" }},
		{"language and achievement", func(c, _ *credential.Credential, _ *memory) {
			c.AchievementName = curriculum.Text{"en": c.AchievementName["ar"]}
			c.Locale = "en"
		}},
		{"course", func(c, _ *credential.Credential, _ *memory) { c.CourseID = "ai" }},
		{"institution", func(c, _ *credential.Credential, _ *memory) { c.InstitutionID = river }},
		{"time of issue", func(c, _ *credential.Credential, _ *memory) { c.IssuedAt = c.IssuedAt.Add(-time.Hour) }},
		{"longer life", func(c, _ *credential.Credential, _ *memory) { c.ExpiresAt = &later }},
		{"endless life", func(c, _ *credential.Credential, _ *memory) { c.ExpiresAt = nil }},
		{"place in the list", func(c, _ *credential.Credential, _ *memory) { c.StatusIndex ^= 1 }},
		{"level of assessment", func(c, _ *credential.Credential, _ *memory) { c.Assessment = credential.OnSite }},
		{"help by AI", func(c, _ *credential.Credential, _ *memory) { c.AIHelp = credential.NoHelp }},
		{"no list of suspensions", func(c, _ *credential.Credential, _ *memory) { c.SuspensionListID = "" }},
		{"list", func(c, _ *credential.Credential, _ *memory) { c.StatusListID = id[statuslist.ID](9, 9) }},
		{"no document", func(c, _ *credential.Credential, _ *memory) { c.Document = nil }},
		{"proof stripped", func(c, _ *credential.Credential, _ *memory) {
			body, _, _ := bytes.Cut(c.Document, []byte(`,"proof"`))
			c.Document = append(bytes.Clone(body), '}')
		}},
		{"key gone", func(_, _ *credential.Credential, m *memory) { m.keys = m.keys[1:] }},
		{"another key in its place", func(_, _ *credential.Credential, m *memory) {
			k, _ := signing.Generate(rand.Reader)
			m.keys[0].Multikey = k.Multikey()
		}},
		{"key of another DID", func(_, _ *credential.Credential, m *memory) { m.keys[0].Controller = "did:web:example.org" }},
		{"key retired before", func(c, _ *credential.Credential, m *memory) {
			at := c.IssuedAt.Add(-time.Second)
			m.keys[0].RetiredAt = &at
		}},
		{"key made after", func(c, _ *credential.Credential, m *memory) { m.keys[0].CreatedAt = c.IssuedAt.Add(time.Second) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			b.Validity = 24 * time.Hour
			c := b.issued(t, 1, layla, oasis)
			b.issued(t, 2, sam, oasis)
			b.issued(t, 3, sam, river)
			b.check(t, c.ID, credential.Valid)
			tt.change(&b.store.credentials[0], &b.store.credentials[1], b.store)
			st := b.check(t, c.ID, credential.Invalid)
			if st.Claims.Name != "" || st.Claims.Achievement != "" {
				t.Errorf("an invalid one still claims %+v", st.Claims)
			}
			// Not even a revocation makes it look like one that once was good.
			b.store.credentials[0].RevokedAt = &later
			b.check(t, c.ID, credential.Invalid)
		})
	}
}

func TestRevoke(t *testing.T) {
	b := newBench(t)
	c := b.issued(t, 1, layla, oasis)
	member := func(in identity.InstitutionID, roles ...identity.Role) identity.Actor {
		a := identity.Actor{UserID: layla}
		for _, r := range roles {
			a.Memberships = append(a.Memberships, identity.Membership{InstitutionID: in, Role: r})
		}
		return a
	}
	scoped := func(a identity.Actor, s ...identity.Scope) identity.Actor { a.Scopes = s; return a }
	tests := []struct {
		name, reason string
		by           identity.Actor
		want         fault.Code
		key          string
	}{
		{"anonymous", "x", identity.Actor{}, fault.Unauthenticated, "session.required"},
		{"the learner", "x", member(oasis, identity.Learner), fault.Denied, "credential.revoke_denied"},
		{"a trainer", "x", member(oasis, identity.Trainer), fault.Denied, "credential.revoke_denied"},
		{"another's issuer", "x", member(river, identity.Issuer, identity.Admin), fault.Denied, "credential.revoke_denied"},
		{"the operator", "x", identity.Actor{UserID: sam, Operator: true}, fault.Denied, "credential.revoke_denied"},
		{"a token without the scope", "x", scoped(issuer(oasis), identity.ScopeRead, identity.ScopeAdmin), fault.Denied, "token.scope_missing"},
		{"no reason", "", issuer(oasis), fault.Invalid, "request.invalid"},
		{"spaces", " \n\t ", issuer(oasis), fault.Invalid, "request.invalid"},
		{"501 characters", strings.Repeat("ع", 501), issuer(oasis), fault.Invalid, "request.invalid"},
		{"a control character", "a\x00b", issuer(oasis), fault.Invalid, "request.invalid"},
		{"text turned round", "a\u202eb", issuer(oasis), fault.Invalid, "request.invalid"},
		{"bad UTF-8", "a\xff", issuer(oasis), fault.Invalid, "request.invalid"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := b.Revoke(t.Context(), tt.by, c.ID, tt.reason)
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != tt.want || f.Key != tt.key {
				t.Errorf("error is %v", err)
			}
			b.check(t, c.ID, credential.Valid)
		})
	}
	if err := b.Revoke(t.Context(), issuer(oasis), id[credential.ID](9, 9), "x"); !fault.Is(err, fault.NotFound) {
		t.Errorf("unknown: %v", err)
	}
	long := strings.Repeat("ع", 500)
	if err := b.Revoke(t.Context(), scoped(member(oasis, identity.Admin), identity.ScopeIssue), c.ID, long); err != nil {
		t.Fatal(err)
	}
	b.now = b.now.Add(time.Hour)
	if err := b.Revoke(t.Context(), issuer(oasis), c.ID, "again"); err != nil {
		t.Fatal(err)
	}
	if st := b.check(t, c.ID, credential.Revoked); st.Credential.RevokedReason != long || st.Credential.RevokedAt.Equal(b.now) {
		t.Errorf("the second revocation replaced the first: %+v", st.Credential.RevokedReason)
	}
}

func TestLists(t *testing.T) {
	b := newBench(t)
	own := b.issued(t, 1, layla, oasis)
	b.issued(t, 2, sam, oasis)
	b.issued(t, 3, sam, river)
	ctx := t.Context()
	if cs, err := b.ListOwn(ctx, identity.Actor{UserID: layla}, "", 10); err != nil || len(cs) != 1 || cs[0].ID != own.ID {
		t.Errorf("own: %v, %v", cs, err)
	}
	if _, err := b.ListOwn(ctx, identity.Actor{}, "", 10); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("anonymous: %v", err)
	}
	for name, by := range map[string]identity.Actor{"issuer": issuer(oasis), "operator": {UserID: sam, Operator: true}, "system": identity.System()} {
		first, err := b.ListIssued(ctx, by, oasis, credential.Filter{}, "", 1)
		if err != nil || len(first) != 1 {
			t.Fatalf("%s: %v, %v", name, first, err)
		}
		rest, err := b.ListIssued(ctx, by, oasis, credential.Filter{}, first[0].ID, 10)
		if err != nil || len(rest) != 1 || rest[0].ID == first[0].ID {
			t.Errorf("%s: %v, %v", name, rest, err)
		}
	}
	for name, by := range map[string]identity.Actor{
		"anonymous": {}, "another's issuer": issuer(river), "learner": {UserID: layla, Memberships: []identity.Membership{{InstitutionID: oasis, Role: identity.Learner}}},
	} {
		if _, err := b.ListIssued(ctx, by, oasis, credential.Filter{}, "", 10); !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// readBits undoes the list's encoding with nothing of ours.
func readBits(t *testing.T, doc []byte) (bits []byte, list map[string]any) {
	t.Helper()
	if err := json.Unmarshal(doc, &list); err != nil {
		t.Fatal(err)
	}
	encoded := list["credentialSubject"].(map[string]any)["encodedList"].(string)
	packed, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(encoded, "u"))
	if err != nil || encoded[0] != 'u' {
		t.Fatalf("encoded list %.20q: %v", encoded, err)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	bits, err = io.ReadAll(r)
	if err != nil || len(bits)*8 != statuslist.Size {
		t.Fatalf("%d bits, %v", len(bits)*8, err)
	}
	return bits, list
}

func TestStatusList(t *testing.T) {
	b := newBench(t)
	d := &drawn{keys: rand.Reader, draws: [][4]byte{{0, 0, 0, 0}, {0, 0, 0, 9}, {0, 1, 0xff, 0xff}, {0, 0, 1, 0}}}
	b.Lists.Random = d
	places := []int{0, 9, statuslist.Size - 1, 256}
	var cs []credential.Credential
	for i := range places {
		c := b.issued(t, i+1, sam, oasis)
		if c.StatusIndex != places[i] {
			t.Fatalf("place %d is %d", places[i], c.StatusIndex)
		}
		cs = append(cs, c)
	}
	fetch := func() []byte {
		t.Helper()
		doc, err := b.Lists.Document(t.Context(), cs[0].StatusListID)
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	first := fetch()
	bits, list := readBits(t, first)
	if !bytes.Equal(bits, make([]byte, len(bits))) {
		t.Error("something is revoked from the start")
	}
	subject := list["credentialSubject"].(map[string]any)
	if list["id"] != "http://localhost:8080/api/status-lists/"+string(cs[0].StatusListID) || subject["ttl"] != 300_000.0 ||
		subject["statusPurpose"] != "revocation" || list["issuer"] != "did:web:localhost%3A8080:institutions:oasis" {
		t.Errorf("list is %s", first)
	}
	b.now = b.now.Add(time.Minute)
	if !bytes.Equal(fetch(), first) {
		t.Error("signed again for nothing")
	}
	for _, c := range cs[:3] {
		if err := b.Revoke(t.Context(), issuer(oasis), c.ID, "x"); err != nil {
			t.Fatal(err)
		}
	}
	second := fetch() // at once, whatever was kept
	bits, _ = readBits(t, second)
	want := make([]byte, len(bits))
	want[0], want[1], want[len(want)-1] = 0b1000_0000, 0b0100_0000, 0b0000_0001
	if !bytes.Equal(bits, want) {
		t.Error("other bits are set")
	}
	b.now = b.now.Add(6 * time.Minute)
	if bytes.Equal(fetch(), second) {
		t.Error("an old signature is served for ever")
	}
	for _, unknown := range []statuslist.ID{"", "x", id[statuslist.ID](9, 9)} {
		if _, err := b.Lists.Document(t.Context(), unknown); !fault.Is(err, fault.NotFound) {
			t.Errorf("%q: %v", unknown, err)
		}
	}
}

// When the server moves, old credentials hold and new ones name the new address.
func TestAnotherPublicURL(t *testing.T) {
	b := newBench(t)
	before := b.issued(t, 1, layla, oasis)
	b.Keys.PublicURL = "https://learn.example.org/banyan/"
	after := b.issued(t, 2, sam, oasis)
	b.check(t, before.ID, credential.Valid)
	st := b.check(t, after.ID, credential.Valid)
	if st.Claims.Issuer != "did:web:learn.example.org:banyan:institutions:oasis" || st.Claims.ID != "https://learn.example.org/banyan/verify/"+string(after.ID) {
		t.Errorf("claims are %+v", st.Claims)
	}
	if before.StatusListID == after.StatusListID {
		t.Error("one list for two issuers")
	}
	did, err := b.Keys.DIDDocument(t.Context(), "oasis")
	if err != nil || bytes.Contains(did, []byte("localhost")) || !bytes.Contains(did, []byte("z6Mk")) {
		t.Errorf("DID document is %s, %v", did, err)
	}
	doc, err := b.Lists.Document(t.Context(), before.StatusListID)
	if err != nil {
		t.Fatal(err)
	}
	if _, list := readBits(t, doc); list["issuer"] != "did:web:localhost%3A8080:institutions:oasis" {
		t.Errorf("old list is issued by %v", list["issuer"])
	}
}

// A worker whose clock is behind signs with a key that another has just made.
func TestClocksDiffer(t *testing.T) {
	b := newBench(t)
	b.issued(t, 1, layla, oasis)
	b.now = b.now.Add(-time.Hour)
	c := b.issued(t, 2, sam, oasis)
	b.check(t, c.ID, credential.Valid)
}

func TestKeysStaySealed(t *testing.T) {
	b := newBench(t)
	c := b.issued(t, 1, layla, oasis)
	other, err := signing.NewEphemeral()
	if err != nil {
		t.Fatal(err)
	}
	b.Keys.Sealer = other
	e := b.enroll(2, sam, oasis)
	if _, err := b.Prepare(t.Context(), credential.Grant{EnrollmentID: e}); !errors.Is(err, signing.ErrOtherMaster) {
		t.Errorf("issued under another master key: %v", err)
	}
	if len(b.store.keys) != 1 {
		t.Error("a lost master key was answered with a new issuing key")
	}
	b.check(t, c.ID, credential.Valid) // checking needs no private key
}

func BenchmarkPrepare(b *testing.B) {
	bench := newBench(b)
	e := bench.enroll(1, layla, oasis)
	for b.Loop() {
		if _, err := bench.Prepare(b.Context(), credential.Grant{EnrollmentID: e}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	bench := newBench(b)
	c := bench.issued(b, 1, layla, oasis)
	for b.Loop() {
		bench.check(b, c.ID, credential.Valid)
	}
}

func BenchmarkStatusList(b *testing.B) {
	bench := newBench(b)
	c := bench.issued(b, 1, layla, oasis)
	for b.Loop() {
		bench.now = bench.now.Add(time.Hour)
		if _, err := bench.Lists.Document(b.Context(), c.StatusListID); err != nil {
			b.Fatal(err)
		}
	}
}
