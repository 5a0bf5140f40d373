package institution_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
	"github.com/banyan-lms/banyan/internal/store"
)

// town is the service over a real database with two institutions.
type town struct {
	*testing.T
	*institution.Service
	a, b   institution.Institution
	made   int
	db     *store.DB
	public *pictures
}

// pictures is a blob.Store in memory.
type pictures struct {
	puts int
	all  map[blob.Digest][]byte
}

func (p *pictures) Put(_ context.Context, data []byte) (blob.Digest, error) {
	d := blob.Of(data)
	p.puts++
	if p.all == nil {
		p.all = map[blob.Digest][]byte{}
	}
	p.all[d] = data
	return d, nil
}

func (p *pictures) Open(_ context.Context, d blob.Digest) ([]byte, error) { return p.all[d], nil }

func (p *pictures) Has(_ context.Context, d blob.Digest) (bool, error) { return p.all[d] != nil, nil }

// redraw stands for the real one, which internal/app gives.
func redraw(file []byte) ([]byte, institution.Picture, error) {
	img, _, err := image.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return nil, institution.Picture{}, fault.New(fault.Invalid, "request.invalid").At(fault.Detail{Key: "institution.bad_picture"})
	}
	data := fmt.Appendf(nil, "redrawn %dx%d", img.Width, img.Height)
	if img.Width == 333 {
		data = make([]byte, 201<<10)
	}
	return data, institution.Picture{Ext: "png", Width: img.Width, Height: img.Height}, nil
}

func newTown(t *testing.T) *town {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "banyan.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC) }
	id := func() string { return uuid.Must(uuid.NewV7()).String() }
	people := &identity.Service{Store: db.Identity(), Now: now, NewID: id}
	w := &town{T: t, db: db, public: &pictures{}}
	w.Service = &institution.Service{
		Store: db.Institution(), Identity: people, Now: now, NewID: id, Public: w.public, PublicHost: "learn.example", Draw: redraw,
		Claimed: func(_ context.Context, domain string, by identity.InstitutionID) (bool, error) {
			return domain == "was-alphas.example" && by != w.a.ID, nil
		},
	}
	for slug, i := range map[string]*institution.Institution{"alpha": &w.a, "beta": &w.b} {
		if *i, err = w.Create(t.Context(), identity.System(), slug, slug); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func member(in identity.InstitutionID, r identity.Role) identity.Actor {
	return identity.Actor{UserID: "u", Memberships: []identity.Membership{{InstitutionID: in, Role: r}}}
}

var operator = identity.Actor{UserID: "op", Operator: true}

func scoped(a identity.Actor, s ...identity.Scope) identity.Actor {
	a.Scopes = s
	return a
}

// person makes an account with a role of A, or none.
func (w *town) person(in identity.InstitutionID, roles ...identity.Role) identity.UserID {
	w.Helper()
	w.made++
	n := identity.NewUser{Username: "user-" + strings.Repeat("x", w.made), DisplayName: "Person", Password: "correct horse"}
	for _, r := range roles {
		n.Memberships = append(n.Memberships, identity.Membership{InstitutionID: in, Role: r})
	}
	u, err := w.Identity.CreateUser(w.Context(), n)
	if err != nil {
		w.Fatal(err)
	}
	return u.ID
}

func (w *town) roles(in identity.InstitutionID, id identity.UserID) string {
	w.Helper()
	ms, err := w.Identity.ListMemberships(w.Context(), id)
	if err != nil {
		w.Fatal(err)
	}
	var out []string
	for _, m := range ms {
		if m.InstitutionID == in {
			out = append(out, string(m.Role))
		}
	}
	return strings.Join(out, " ")
}

// says gives a fault in one line, "" for none.
func says(err error) string {
	var f *fault.Error
	switch {
	case err == nil:
		return ""
	case !errors.As(err, &f):
		return "no fault: " + err.Error()
	case len(f.Details) > 0:
		return string(f.Code) + " " + f.Details[0].Pointer + " " + f.Details[0].Key
	}
	return string(f.Code) + " " + f.Key
}

func TestCreate(t *testing.T) {
	w := newTown(t)
	for _, tt := range []struct {
		name, slug, shown string
		by                identity.Actor
		want              string
	}{
		{"nobody", "gamma", "Gamma", identity.Actor{}, "denied institution.create_denied"},
		{"an admin", "gamma", "Gamma", member(w.a.ID, identity.Admin), "denied institution.create_denied"},
		{"the operator's token without the scope", "gamma", "Gamma", scoped(operator, identity.ScopeIssue), "denied institution.create_denied"},
		{"a digit first", "9gamma", "Gamma", operator, "invalid /slug institution.bad_slug"},
		{"upper case", "Gamma", "Gamma", operator, "invalid /slug institution.bad_slug"},
		{"a path", "../gamma", "Gamma", operator, "invalid /slug institution.bad_slug"},
		{"a colon, which parts a did", "gam:ma", "Gamma", operator, "invalid /slug institution.bad_slug"},
		{"one letter", "g", "Gamma", operator, "invalid /slug institution.bad_slug"},
		{"64 letters", strings.Repeat("g", 64), "Gamma", operator, "invalid /slug institution.bad_slug"},
		{"a line end", "gamma\n", "Gamma", operator, "invalid /slug institution.bad_slug"},
		{"no name", "gamma", " ", operator, "invalid /name institution.bad_name"},
		{"a long name", "gamma", strings.Repeat("é", 121), operator, "invalid /name institution.bad_name"},
		{"a name that turns round", "gamma", "Gamma\u202e", operator, "invalid /name institution.bad_name"},
		{"a name with NUL", "gamma", "Gam\x00ma", operator, "invalid /name institution.bad_name"},
		{"a taken slug", "alpha", "Gamma", operator, "conflict institution.slug_taken"},
		{"the operator", "gamma", "مدرسة جاما", operator, ""},
		{"the operator's token", "delta", strings.Repeat("é", 120), scoped(operator, identity.ScopeAdmin), ""},
	} {
		i, err := w.Create(t.Context(), tt.by, tt.slug, tt.shown)
		if got := says(err); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		if err != nil {
			continue
		}
		if found, err := w.Find(t.Context(), i.ID); err != nil || !reflect.DeepEqual(found, i) || found.Name != tt.shown {
			t.Errorf("%s: found %+v, %v", tt.name, found, err)
		}
		if found, err := w.FindBySlug(t.Context(), tt.slug); err != nil || !reflect.DeepEqual(found, i) {
			t.Errorf("%s: found by slug %+v, %v", tt.name, found, err)
		}
	}
	if list, err := w.List(t.Context(), "", 10); err != nil || len(list) != 4 {
		t.Errorf("%d institutions, %v", len(list), err)
	}
	if list, err := w.List(t.Context(), "", 1); err != nil || len(list) != 1 {
		t.Errorf("a page of one: %d, %v", len(list), err)
	}
}

// TestWhoAdministers tries everything about members of A as everybody.
func TestWhoAdministers(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	pupil := w.person(w.a.ID, identity.Learner)
	outsider := w.person(w.b.ID, identity.Learner)
	const denied = "denied institution.members_denied"
	for _, tt := range []struct {
		name                       string
		by                         identity.Actor
		list, create, own, foreign string
	}{
		{"nobody", identity.Actor{}, denied, denied, denied, denied},
		{"a learner", member(w.a.ID, identity.Learner), denied, denied, denied, denied},
		{"a trainer", member(w.a.ID, identity.Trainer), denied, denied, denied, denied},
		{"an issuer", member(w.a.ID, identity.Issuer), denied, denied, denied, denied},
		{"another's admin", member(w.b.ID, identity.Admin), denied, denied, denied, denied},
		{"an admin", member(w.a.ID, identity.Admin), "", "", "", "not_found user.not_found"},
		{"an admin's token that reads", scoped(member(w.a.ID, identity.Admin), identity.ScopeRead), "", denied, denied, denied},
		{"an admin's token", scoped(member(w.a.ID, identity.Admin), identity.ScopeAdmin), "", "", "", "not_found user.not_found"},
		{"the operator", operator, "", "", "", ""},
		{"the system", identity.System(), "", "", "", ""},
	} {
		check := func(what string, err error, want string) {
			t.Helper()
			if got := says(err); got != want {
				t.Errorf("%s %s: %q, want %q", tt.name, what, got, want)
			}
		}
		_, err := w.ListMembers(ctx, tt.by, w.a.ID, "", 10)
		check("lists", err, tt.list)
		w.made++
		u, err := w.CreateMember(ctx, tt.by, w.a.ID, institution.NewMember{
			Username: "new-" + strings.Repeat("x", w.made), DisplayName: "New", Password: "correct horse", Role: identity.Trainer,
		})
		check("creates", err, tt.create)
		if err == nil && w.roles(w.a.ID, u.ID) != "trainer" {
			t.Errorf("%s: the new member is %q", tt.name, w.roles(w.a.ID, u.ID))
		}
		check("gives a role", w.AddRole(ctx, tt.by, w.a.ID, pupil, identity.Issuer), tt.own)
		if got := w.roles(w.a.ID, pupil); (got == "issuer learner") != (tt.own == "") {
			t.Errorf("%s: the pupil is %q", tt.name, got)
		}
		check("takes it", w.RemoveRole(ctx, tt.by, w.a.ID, pupil, identity.Issuer), tt.own)
		if got := w.roles(w.a.ID, pupil); got != "learner" {
			t.Errorf("%s: the pupil is %q", tt.name, got)
		}
		check("draws somebody in", w.AddRole(ctx, tt.by, w.a.ID, outsider, identity.Learner), tt.foreign)
		if got := w.roles(w.a.ID, outsider); (got == "learner") != (tt.foreign == "") {
			t.Errorf("%s: the outsider is %q here", tt.name, got)
		}
		if tt.foreign == "" {
			check("lets them go", w.RemoveRole(ctx, tt.by, w.a.ID, outsider, identity.Learner), "")
		}
		if got := w.roles(w.b.ID, outsider); got != "learner" {
			t.Errorf("%s: the outsider is %q at home", tt.name, got)
		}
	}
}

func TestRoles(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	admin := member(w.a.ID, identity.Admin)
	pupil := w.person(w.a.ID, identity.Learner)
	missing := identity.UserID(uuid.Must(uuid.NewV7()).String())
	for _, tt := range []struct {
		name string
		by   identity.Actor
		in   identity.InstitutionID
		user identity.UserID
		role identity.Role
		want string
	}{
		{"no such role", admin, w.a.ID, pupil, "operator", "invalid /role institution.bad_role"},
		{"no role", admin, w.a.ID, pupil, "", "invalid /role institution.bad_role"},
		{"no such person", admin, w.a.ID, missing, identity.Trainer, "not_found user.not_found"},
		{"no such person, for the operator", operator, w.a.ID, missing, identity.Trainer, "not_found user.not_found"},
		{"no id", operator, w.a.ID, "nonsense", identity.Trainer, "not_found user.not_found"},
		{"no such institution", operator, identity.InstitutionID(missing), pupil, identity.Trainer, "not_found institution.not_found"},
		{"twice", admin, w.a.ID, pupil, identity.Learner, ""},
	} {
		if got := says(w.AddRole(ctx, tt.by, tt.in, tt.user, tt.role)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := w.roles(w.a.ID, pupil); got != "learner" {
		t.Errorf("the pupil is %q", got)
	}
	if err := w.RemoveRole(ctx, admin, w.a.ID, pupil, identity.Issuer); err != nil {
		t.Errorf("taking a role that nobody has: %v", err)
	}
	if got := says(w.RemoveRole(ctx, admin, w.a.ID, pupil, "operator")); got != "invalid /role institution.bad_role" {
		t.Error(got)
	}
	_, err := w.CreateMember(ctx, admin, w.a.ID, institution.NewMember{Username: "new", DisplayName: "New", Password: "correct horse", Role: "operator"})
	if got := says(err); got != "invalid /role institution.bad_role" {
		t.Error(got)
	}
	_, err = w.CreateMember(ctx, operator, identity.InstitutionID(missing), institution.NewMember{Username: "new", DisplayName: "New", Password: "correct horse", Role: identity.Learner})
	if got := says(err); got != "not_found institution.not_found" {
		t.Error(got)
	}
	if _, err := w.Identity.FindUserByName(ctx, operator, "new"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a refused member has an account: %v", err)
	}
}

// TestLastAdmin: an admin may leave as the last one, for the operator can mend that.
func TestLastAdmin(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	id := w.person(w.a.ID, identity.Admin)
	self := identity.Actor{UserID: id, Memberships: []identity.Membership{{InstitutionID: w.a.ID, Role: identity.Admin}}}
	if err := w.RemoveRole(ctx, self, w.a.ID, id, identity.Admin); err != nil {
		t.Fatal(err)
	}
	if got := w.roles(w.a.ID, id); got != "" {
		t.Errorf("still %q", got)
	}
	if err := w.AddRole(ctx, operator, w.a.ID, id, identity.Admin); err != nil || w.roles(w.a.ID, id) != "admin" {
		t.Errorf("the operator cannot mend it: %v", err)
	}
}

func TestListMembers(t *testing.T) {
	w := newTown(t)
	ids := []identity.UserID{w.person(w.a.ID, identity.Learner, identity.Trainer), w.person(w.a.ID, identity.Admin), w.person(w.b.ID, identity.Learner)}
	list, err := w.ListMembers(t.Context(), operator, w.a.ID, "", 10)
	if err != nil || len(list) != 2 || list[0].UserID != ids[0] || len(list[0].Roles) != 2 || list[1].UserID != ids[1] {
		t.Errorf("%+v, %v", list, err)
	}
	list, err = w.ListMembers(t.Context(), operator, w.a.ID, ids[0], 10)
	if err != nil || len(list) != 1 || list[0].UserID != ids[1] {
		t.Errorf("after the first: %+v, %v", list, err)
	}
}

func TestFallbacks(t *testing.T) {
	w := newTown(t)
	long := map[string][]string{}
	for a := 'a'; a <= 'z'; a++ {
		long["e"+string(a)] = []string{"fr"}
		long["s"+string(a)] = []string{"fr"}
	}
	for _, tt := range []struct {
		name string
		by   identity.Actor
		in   map[string][]string
		want string
	}{
		{"nobody", identity.Actor{}, nil, "denied institution.members_denied"},
		{"a trainer", member(w.a.ID, identity.Trainer), nil, "denied institution.members_denied"},
		{"another's admin", member(w.b.ID, identity.Admin), nil, "denied institution.members_denied"},
		{"an admin's token without the scope", scoped(member(w.a.ID, identity.Admin), identity.ScopePublish), nil, "denied institution.members_denied"},
		{"no language", member(w.a.ID, identity.Admin), map[string][]string{"ff": {"french"}}, "invalid /fallbacks institution.bad_language"},
		{"another spelling", member(w.a.ID, identity.Admin), map[string][]string{"pt-br": {"pt"}}, "invalid /fallbacks institution.bad_language"},
		{"itself", member(w.a.ID, identity.Admin), map[string][]string{"ff": {"ff"}}, "invalid /fallbacks institution.bad_language"},
		{"twice", member(w.a.ID, identity.Admin), map[string][]string{"ff": {"fr", "en", "fr"}}, "invalid /fallbacks institution.bad_language"},
		{"a long chain", member(w.a.ID, identity.Admin), map[string][]string{"ff": {"fr", "en", "ar", "es", "ru", "zh", "pt"}}, "invalid /fallbacks institution.too_many_fallbacks"},
		{"too many", member(w.a.ID, identity.Admin), long, "invalid /fallbacks institution.too_many_fallbacks"},
		{"an admin", member(w.a.ID, identity.Admin), map[string][]string{"ff": {"fr", "en"}, "mg": {}}, ""},
		{"the operator", operator, map[string][]string{"pt-BR": {"pt", "es"}}, ""},
	} {
		i, err := w.Update(t.Context(), tt.by, w.a.ID, institution.Change{Fallbacks: &tt.in})
		if got := says(err); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		if err != nil {
			continue
		}
		delete(tt.in, "mg") // whoever names nobody wants nobody
		if !reflect.DeepEqual(i.Fallbacks, tt.in) {
			t.Errorf("%s: %v", tt.name, i.Fallbacks)
		}
	}
}

func TestLocale(t *testing.T) {
	w := newTown(t)
	admin := member(w.a.ID, identity.Admin)
	for _, tt := range []struct {
		name, in, want string
		by             identity.Actor
	}{
		{"a trainer", "sw", "denied institution.members_denied", member(w.a.ID, identity.Trainer)},
		{"another's admin", "sw", "denied institution.members_denied", member(w.b.ID, identity.Admin)},
		{"no language", "kiswahili", "invalid /locale user.bad_locale", admin},
		{"another spelling", "pt-br", "invalid /locale user.bad_locale", admin},
		{"an admin", "sw", "", admin},
		{"none", "", "", admin},
		{"the operator", "pt-BR", "", operator},
	} {
		i, err := w.Update(t.Context(), tt.by, w.a.ID, institution.Change{Locale: &tt.in})
		if got := says(err); got != tt.want || err == nil && i.Locale != tt.in {
			t.Errorf("%s: %q, want %q; %+v", tt.name, got, tt.want, i)
		}
	}
	fallbacks := map[string][]string{"ff": {"fr"}}
	if i, err := w.Update(t.Context(), admin, w.a.ID, institution.Change{Fallbacks: &fallbacks}); err != nil || i.Locale != "pt-BR" {
		t.Errorf("the other settings leave the language: %+v, %v", i, err)
	}
}
