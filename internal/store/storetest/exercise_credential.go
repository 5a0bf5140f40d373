package storetest

import (
	"errors"
	"reflect"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/credential/statuslist"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/learning"
	"github.com/banyan-lms/banyan/internal/store"
)

func exerciseCredential(t *testing.T, w *world) {
	ctx, s := t.Context(), w.Credential()
	const did = "did:web:acacia.example"

	list := statuslist.List{ID: newID[statuslist.ID](), InstitutionID: w.school.ID, Issuer: did, Purpose: statuslist.Revocation, CreatedAt: noon}
	twin := list
	twin.ID, twin.Purpose = newID[statuslist.ID](), statuslist.Suspension
	t.Run("status lists", func(t *testing.T) {
		_, err := w.StatusLists().FindLastList(ctx, w.school.ID, did)
		wantFault(t, err, fault.NotFound, "credential.list_not_found")
		older, other, lone := list, list, list
		list.ID, other.ID, lone.ID = newID[statuslist.ID](), newID[statuslist.ID](), newID[statuslist.ID]()
		list.TwinID, other.TwinID = twin.ID, twin.ID
		other.Issuer = "did:web:other.example"
		for _, l := range []statuslist.List{older, twin, list, other, lone} { // lone is as those of old are
			ok(t, w.StatusLists().CreateList(ctx, l))
		}
		got, err := w.StatusLists().FindLastList(ctx, w.school.ID, did)
		ok(t, err)
		equal(t, "last list", got, list)
		got, err = w.StatusLists().FindList(ctx, older.ID)
		ok(t, err)
		equal(t, "list", got, older)
		lists, err := w.StatusLists().ListLists(ctx, w.school.ID, did)
		ok(t, err)
		if !reflect.DeepEqual(lists, []statuslist.List{older, twin, list, lone}) {
			t.Errorf("lists %+v", lists)
		}
		_, err = w.StatusLists().FindList(ctx, "x")
		wantFault(t, err, fault.NotFound, "credential.list_not_found")
		_, err = w.StatusLists().FindLastList(ctx, newID[identity.InstitutionID](), did)
		wantFault(t, err, fault.NotFound, "credential.list_not_found")
	})

	t.Run("keys", func(t *testing.T) {
		retired := noon.Add(-time.Hour)
		old := keyring.Key{ID: newID[keyring.KeyID](), InstitutionID: w.school.ID, Controller: did, Kind: keyring.Ed25519, Multikey: "z6MkOld", Sealed: []byte{0, 255, 0}, CreatedAt: noon, RetiredAt: &retired}
		now := keyring.Key{ID: newID[keyring.KeyID](), InstitutionID: w.school.ID, Controller: did, Kind: keyring.Ed25519, Multikey: "z6MkNow", Sealed: []byte{1}, CreatedAt: noon}
		ok(t, w.Keyring().CreateKey(ctx, old))
		ok(t, w.Keyring().CreateKey(ctx, now))
		twin := now
		twin.ID = newID[keyring.KeyID]()
		wantFault(t, w.Keyring().CreateKey(ctx, twin), fault.Conflict, "credential.key_exists")
		twin.InstitutionID = w.addSchool(t, "baobab").ID
		ok(t, w.Keyring().CreateKey(ctx, twin))
		keys, err := w.Keyring().ListKeys(ctx, w.school.ID)
		ok(t, err)
		if !reflect.DeepEqual(keys, []keyring.Key{old, now}) {
			t.Errorf("keys %+v", keys)
		}

		rsa := keyring.Key{ID: newID[keyring.KeyID](), InstitutionID: w.school.ID, Controller: did, Kind: keyring.RSA, Multikey: "thumb", JWK: `{"kty":"RSA"}`, Sealed: []byte{2}, CreatedAt: noon}
		ok(t, w.Keyring().CreateKey(ctx, rsa)) // one of each kind
		second := rsa
		second.ID = newID[keyring.KeyID]()
		wantFault(t, w.Keyring().CreateKey(ctx, second), fault.Conflict, "credential.key_exists")
		change := func(what string, want bool, fn func() (bool, error)) {
			t.Helper()
			got, err := fn()
			ok(t, err)
			equal(t, what, got, want)
		}
		later := noon.Add(time.Hour)
		change("retired", true, func() (bool, error) { return w.Keyring().RetireKey(ctx, now.ID, later) })
		change("retired twice", false, func() (bool, error) { return w.Keyring().RetireKey(ctx, now.ID, later.Add(time.Hour)) })
		change("revoked", true, func() (bool, error) { return w.Keyring().RevokeKey(ctx, old.ID, noon, "the disk was stolen") })
		change("revoked twice", false, func() (bool, error) { return w.Keyring().RevokeKey(ctx, old.ID, later, "again") })
		now.RetiredAt, old.RevokedAt, old.RevokedReason = &later, new(noon), "the disk was stolen"
		next := now
		next.ID, next.Multikey, next.RetiredAt = newID[keyring.KeyID](), "z6MkNext", nil
		ok(t, w.Keyring().CreateKey(ctx, next))
		keys, err = w.Keyring().ListKeys(ctx, w.school.ID)
		ok(t, err)
		if !reflect.DeepEqual(keys, []keyring.Key{old, now, rsa, next}) {
			t.Errorf("keys %+v", keys)
		}
		keys, err = w.Keyring().ListKeysOf(ctx, did)
		ok(t, err)
		if !reflect.DeepEqual(keys, []keyring.Key{old, now, twin, rsa, next}) {
			t.Errorf("keys of the controller %+v", keys)
		}

		// Who stores what a key signed holds it: others may too, and nobody takes it back before the end.
		var ended atomic.Bool
		taken := make(chan error, 1)
		ok(t, s.InTx(ctx, func(tx credential.Store) error {
			held, err := tx.HoldKey(ctx, next.ID)
			ok(t, err)
			if !reflect.DeepEqual(held, next) {
				t.Errorf("held %+v", held)
			}
			go func() {
				_, err := w.Keyring().RevokeKey(ctx, next.ID, later, "lost")
				if err == nil && !ended.Load() {
					err = errors.New("a key that is held was revoked")
				}
				taken <- err
			}()
			for range 50 {
				keys, err := w.Keyring().ListKeys(ctx, w.school.ID)
				ok(t, err)
				if k := keys[len(keys)-1]; k.ID != next.ID || k.RevokedAt != nil {
					t.Fatalf("a key that is held is now %+v", k)
				}
			}
			_, err = tx.HoldKey(ctx, "x")
			wantFault(t, err, fault.NotFound, "credential.key_not_found")
			ended.Store(true)
			return nil
		}))
		ok(t, <-taken)
		ok(t, s.InTx(ctx, func(tx credential.Store) error {
			held, err := tx.HoldKey(ctx, next.ID)
			if err == nil && held.RevokedAt == nil {
				t.Error("the revocation was lost")
			}
			return err
		}))

		sealed, err := w.Sealed().List(ctx, store.IssuerKey, string(now.ID), 2)
		ok(t, err)
		if len(sealed) != 2 || !reflect.DeepEqual(sealed[1], store.SealedValue{Kind: store.IssuerKey, ID: string(rsa.ID), Of: string(w.school.ID), KeyKind: "rsa", Bytes: []byte{2}}) {
			t.Fatalf("sealed %+v", sealed)
		}
		change("replaced", true, func() (bool, error) { return w.Sealed().Replace(ctx, sealed[1], []byte{0, 9}) })
		change("replaced by who has read the value before", false, func() (bool, error) { return w.Sealed().Replace(ctx, sealed[1], []byte{7}) })
		again, err := w.Sealed().List(ctx, store.IssuerKey, string(now.ID), 2)
		ok(t, err)
		equal(t, "sealed anew", string(again[1].Bytes), "\x00\x09")
		for _, kind := range store.SealedKinds {
			_, err := w.Sealed().List(ctx, kind, "", 1)
			ok(t, err)
		}
	})

	expires := noon.Add(24 * time.Hour)
	issue := func(e learning.Enrollment, index int) credential.Credential {
		return credential.Credential{
			ID: newID[credential.ID](), EnrollmentID: e.ID, UserID: e.UserID, InstitutionID: e.InstitutionID, CourseID: e.CourseID, VersionID: e.VersionID,
			Name: "أمينة", AchievementName: curriculum.Text{"en": "AI", "ar": "ذكاء"}, Locale: "ar", Document: []byte("{ \"a\":1,\n\x00\xff }"),
			Assessment: credential.OnSite, AIHelp: credential.SomeHelp, StatusListID: list.ID, SuspensionListID: twin.ID, StatusIndex: index,
			IssuedAt: noon, ExpiresAt: &expires, ChangedAt: noon,
		}
	}
	first := issue(w.enrollment, 131071)
	t.Run("one for each enrollment", func(t *testing.T) {
		ok(t, s.CreateCredential(ctx, first))
		for name, find := range map[string]func() (credential.Credential, error){
			"by id":         func() (credential.Credential, error) { return s.FindCredential(ctx, first.ID) },
			"by enrollment": func() (credential.Credential, error) { return s.FindCredentialOf(ctx, w.enrollment.ID) },
		} {
			got, err := find()
			ok(t, err)
			if !reflect.DeepEqual(got, first) {
				t.Errorf("%s: %+v, want %+v", name, got, first)
			}
		}
		wantFault(t, s.CreateCredential(ctx, issue(w.enrollment, 5)), fault.Conflict, "credential.exists")
		second := w.enroll(t, w.addUser(t, "second"), w.version)
		wantFault(t, s.CreateCredential(ctx, issue(second, 131071)), fault.Conflict, "credential.index_taken")
		err := s.InTx(ctx, func(tx credential.Store) error { return tx.CreateCredential(ctx, issue(second, 131071)) })
		wantFault(t, err, fault.Conflict, "credential.index_taken")
		_, err = s.FindCredentialOf(ctx, second.ID)
		wantFault(t, err, fault.NotFound, "credential.not_found")
		taken, err := w.StatusLists().IndexTaken(ctx, list.ID, 131071)
		ok(t, err)
		equal(t, "taken", taken, true)
		taken, err = w.StatusLists().IndexTaken(ctx, list.ID, 131070)
		ok(t, err)
		equal(t, "taken", taken, false)
	})

	t.Run("lists and revocation", func(t *testing.T) {
		all := []credential.Credential{first}
		for i := range 3 {
			all = append(all, issue(w.enroll(t, w.learner, w.publish(t, curriculum.CourseID("c"+strconv.Itoa(i)), w.school)), 30-i))
			all[i+1].ExpiresAt = nil
			ok(t, s.CreateCredential(ctx, all[i+1]))
		}
		got, err := s.ListCredentials(ctx, w.learner.ID, "", 10)
		ok(t, err)
		if !reflect.DeepEqual(got, all) {
			t.Errorf("mine %+v, want %+v", got, all)
		}
		got, err = s.ListInstitutionCredentials(ctx, w.school.ID, credential.Filter{}, first.ID, 2)
		ok(t, err)
		if !reflect.DeepEqual(got, all[1:3]) {
			t.Errorf("second page of the school %+v", got)
		}
		change := func(i int, do func(c *credential.Credential)) {
			t.Helper()
			ok(t, s.InTx(ctx, func(tx credential.Store) error {
				c, err := tx.LockCredential(ctx, all[i].ID)
				ok(t, err)
				do(&c)
				all[i] = c
				return tx.UpdateStanding(ctx, c)
			}))
		}
		minute := noon.Add(time.Minute)
		for _, i := range []int{1, 0, 2} {
			change(i, func(c *credential.Credential) { c.RevokedAt, c.RevokedReason, c.ChangedAt = &minute, "copied", minute })
		}
		for _, i := range []int{2, 3} {
			change(i, func(c *credential.Credential) {
				c.SuspendedAt, c.SuspendedReason, c.ChangedAt = &minute, "asked about", minute.Add(time.Second)
			})
		}
		for i, c := range all {
			got, err := s.FindCredential(ctx, c.ID)
			ok(t, err)
			if !reflect.DeepEqual(got, all[i]) {
				t.Errorf("changed %+v, want %+v", got, all[i])
			}
		}
		stamp, err := s.StampCredentials(ctx, w.learner.ID)
		ok(t, err)
		equal(t, "stamp", stamp, credential.Stamp{Count: 4, ChangedAt: minute.Add(time.Second)})
		for _, tt := range []struct {
			list statuslist.List
			want []int
		}{{list, []int{29, 30, 131071}}, {twin, []int{28, 29}}, {statuslist.List{ID: "x"}, []int{}}} {
			places, err := w.StatusLists().ListSet(ctx, tt.list)
			ok(t, err)
			if !slices.Equal(places, tt.want) {
				t.Errorf("%s: places %v, want %v", tt.list.Purpose, places, tt.want)
			}
		}
		for _, tt := range []struct {
			name string
			f    credential.Filter
			want []credential.Credential
		}{
			{"part of the name", credential.Filter{Search: "مين"}, all},
			{"another name", credential.Filter{Search: "%"}, []credential.Credential{}},
			{"an id", credential.Filter{Search: string(first.ID)}, all[:1]},
			{"revoked", credential.Filter{State: credential.Revoked}, all[:3]},
			{"suspended, and not revoked", credential.Filter{State: credential.Suspended}, all[3:]},
		} {
			got, err := s.ListInstitutionCredentials(ctx, w.school.ID, tt.f, "", 10)
			ok(t, err)
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%s: %d", tt.name, len(got))
			}
		}
		_, err = s.LockCredential(ctx, newID[credential.ID]())
		wantFault(t, err, fault.NotFound, "credential.not_found")
		wantFault(t, s.UpdateStanding(ctx, credential.Credential{ID: newID[credential.ID]()}), fault.NotFound, "credential.not_found")
	})

	t.Run("renewals", func(t *testing.T) { exerciseRenewal(t, w, issue) })

	t.Run("codes", func(t *testing.T) {
		_, err := s.FindCode(ctx, first.ID, true)
		wantFault(t, err, fault.NotFound, "credential.code_not_found")
		ok(t, s.SaveCode(ctx, first.ID, true, "BNY1:A"))
		ok(t, s.SaveCode(ctx, first.ID, false, "BNY1:B"))
		ok(t, s.SaveCode(ctx, first.ID, true, "BNY1:C"))
		for named, want := range map[bool]string{true: "BNY1:C", false: "BNY1:B"} {
			got, err := s.FindCode(ctx, first.ID, named)
			ok(t, err)
			equal(t, "code", got, want)
		}
		ok(t, s.DeleteCodes(ctx, first.ID))
		ok(t, s.DeleteCodes(ctx, first.ID))
		_, err = s.FindCode(ctx, first.ID, false)
		wantFault(t, err, fault.NotFound, "credential.code_not_found")
		_, err = s.FindCode(ctx, "x", false)
		wantFault(t, err, fault.NotFound, "credential.code_not_found")
		issuing, err := w.Keyring().ListIssuing(ctx)
		ok(t, err)
		if !slices.Contains(issuing, w.school.ID) || len(issuing) != 3 {
			t.Errorf("issuing %v", issuing)
		}
	})
}

// What a revoked key signed too late is counted, listed and replaced; all else is left as it is.
func exerciseRenewal(t *testing.T, w *world, issue func(learning.Enrollment, int) credential.Credential) {
	ctx, s := t.Context(), w.Credential()
	school := w.addSchool(t, "neem")
	key := func(name string) keyring.Key {
		k := keyring.Key{ID: newID[keyring.KeyID](), InstitutionID: school.ID, Controller: "did:web:neem.example", Multikey: name, Sealed: []byte{1}, CreatedAt: noon, RetiredAt: new(noon.Add(time.Hour))}
		ok(t, w.Keyring().CreateKey(ctx, k))
		return k
	}
	stolen, good := key("z6MkStolen"), key("z6MkGood")
	from := noon.Add(30 * time.Minute)
	var all []credential.Credential
	for i, signed := range []struct {
		by keyring.KeyID
		at time.Time
	}{{stolen.ID, from.Add(-time.Second)}, {stolen.ID, from}, {good.ID, from}, {stolen.ID, from.Add(time.Minute)}, {"", time.Time{}}} {
		c := issue(w.enroll(t, w.learner, w.publish(t, curriculum.CourseID("renewed"+strconv.Itoa(i)), school)), 100+i)
		c.KeyID, c.SignedAt = signed.by, signed.at
		ok(t, s.CreateCredential(ctx, c))
		all = append(all, c)
	}
	refused := func(want ...int) {
		t.Helper()
		counts, err := s.CountRefused(ctx, school.ID)
		ok(t, err)
		list, err := s.ListRefused(ctx, stolen.ID, "", 10)
		ok(t, err)
		if counts[stolen.ID] != len(want) || counts[good.ID] != 0 || len(list) != len(want) {
			t.Errorf("counts %v, %d listed, want %d", counts, len(list), len(want))
			return
		}
		for i, n := range want {
			if !reflect.DeepEqual(list[i], all[n]) {
				t.Errorf("refused %+v, want %+v", list[i], all[n])
			}
		}
	}
	refused() // no key is revoked yet
	_, err := w.Keyring().RevokeKey(ctx, stolen.ID, from, "stolen")
	ok(t, err)
	refused(1, 3)
	counts, err := s.CountRefused(ctx, w.school.ID)
	ok(t, err)
	equal(t, "refused at another school", counts[stolen.ID], 0)
	page, err := s.ListRefused(ctx, stolen.ID, all[1].ID, 10)
	ok(t, err)
	if len(page) != 1 || page[0].ID != all[3].ID {
		t.Errorf("second page %+v", page)
	}

	later := noon.Add(2 * time.Hour)
	all[1].Document, all[1].KeyID, all[1].SignedAt, all[1].ChangedAt = []byte(`{"anew":true}`), good.ID, later, later.Add(time.Microsecond)
	ok(t, s.ReplaceDocument(ctx, all[1]))
	got, err := s.FindCredential(ctx, all[1].ID)
	ok(t, err)
	if !reflect.DeepEqual(got, all[1]) {
		t.Errorf("replaced %+v, want %+v", got, all[1])
	}
	refused(3)
	wantFault(t, s.ReplaceDocument(ctx, credential.Credential{ID: newID[credential.ID]()}), fault.NotFound, "credential.not_found")

	renewal := func(what string, want bool, at time.Time) {
		t.Helper()
		got, err := w.Keyring().StartRenewal(ctx, stolen.ID, at)
		ok(t, err)
		equal(t, what, got, want)
	}
	stands := func(started, ended *time.Time) {
		t.Helper()
		keys, err := w.Keyring().ListKeys(ctx, school.ID)
		ok(t, err)
		if k := keys[0]; k.ID != stolen.ID || !reflect.DeepEqual(k.RenewalStartedAt, started) || !reflect.DeepEqual(k.RenewalEndedAt, ended) || keys[1].RenewalStartedAt != nil {
			t.Errorf("keys %+v", keys)
		}
	}
	renewal("started", true, noon)
	renewal("started while it is under way", false, later)
	stands(&noon, nil)
	ok(t, s.EndRenewal(ctx, stolen.ID, later))
	stands(&noon, &later)
	renewal("started again", true, later)
	stands(&later, nil)
	wantFault(t, s.EndRenewal(ctx, newID[keyring.KeyID](), later), fault.NotFound, "credential.key_not_found")

	before, err := s.FindCredentialOf(ctx, w.enrollment.ID)
	ok(t, err)
	touched := later.Add(time.Hour)
	ok(t, w.Keyring().TouchCredentials(ctx, school.ID, touched))
	list, err := s.ListInstitutionCredentials(ctx, school.ID, credential.Filter{}, "", 10)
	ok(t, err)
	for i, c := range list {
		all[i].ChangedAt = touched
		if !reflect.DeepEqual(c, all[i]) {
			t.Errorf("touched %+v, want %+v", c, all[i])
		}
	}
	equal(t, "of the school", len(list), len(all))
	after, err := s.FindCredentialOf(ctx, w.enrollment.ID)
	ok(t, err)
	equal(t, "change at another school", after.ChangedAt, before.ChangedAt)
}
