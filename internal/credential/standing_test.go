package credential_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/signing"
)

func TestSuspensionAndReinstatement(t *testing.T) {
	b := newBench(t)
	b.Validity = 24 * time.Hour
	c := b.issued(t, 1, layla, oasis)
	ctx, by := t.Context(), issuer(oasis)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(b.Reinstate(ctx, by, c.ID, "nothing to reinstate"))
	must(b.Suspend(ctx, by, c.ID, " asked about "))
	first := b.now
	b.now = b.now.Add(time.Hour)
	must(b.Suspend(ctx, by, c.ID, "again"))
	st := b.check(t, c.ID, credential.Suspended)
	if st.Credential.SuspendedReason != "asked about" || !st.Credential.SuspendedAt.Equal(first) || st.Claims.Name == "" {
		t.Errorf("%+v", st.Credential)
	}
	must(b.Reinstate(ctx, by, c.ID, "answered"))
	if st := b.check(t, c.ID, credential.Valid); st.Credential.SuspendedReason != "" {
		t.Errorf("a reason without a suspension: %+v", st.Credential)
	}
	must(b.Suspend(ctx, by, c.ID, "asked about once more"))
	must(b.Revoke(ctx, by, c.ID, "copied"))
	b.check(t, c.ID, credential.Revoked)
	for name, err := range map[string]error{"reinstate": b.Reinstate(ctx, by, c.ID, "x"), "suspend": b.Suspend(ctx, by, c.ID, "x")} {
		var f *fault.Error
		if !errors.As(err, &f) || f.Code != fault.Conflict || f.Key != "credential.revoked" {
			t.Errorf("%s what is revoked: %v", name, err)
		}
	}
	var log []audit.Kind
	for _, e := range b.store.audits {
		if strings.HasPrefix(string(e.Kind), "credential_") {
			log = append(log, e.Kind)
		}
	}
	if want := []audit.Kind{audit.CredentialSuspended, audit.CredentialReinstated, audit.CredentialSuspended, audit.CredentialRevoked}; !equalKinds(log, want) {
		t.Errorf("log %v, want %v", log, want)
	}

	// Who has it limited may be told why, whatever the role says.
	other := b.issued(t, 2, sam, oasis)
	b.Limits = func(_ context.Context, _ identity.Actor, _ identity.InstitutionID, course curriculum.CourseID) error {
		return fault.New(fault.Denied, "delegation.expired").With("Course", course)
	}
	if err := b.Suspend(ctx, by, other.ID, "x"); !fault.Is(err, fault.Denied) {
		t.Errorf("limited: %v", err)
	}
	b.check(t, other.ID, credential.Valid)
	b.Limits = nil
	for name, by := range map[string]identity.Actor{"another's issuer": issuer(river), "the holder": {UserID: sam}, "the operator": {UserID: layla, Operator: true}} {
		if err := b.Suspend(ctx, by, other.ID, "x"); !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := b.Suspend(ctx, by, other.ID, " "); !fault.Is(err, fault.Invalid) {
		t.Errorf("without a reason: %v", err)
	}

	// Expired beats suspended: what is over does not come back.
	must(b.Suspend(ctx, by, other.ID, "x"))
	b.now = other.ExpiresAt.Add(time.Second)
	b.check(t, other.ID, credential.Expired)
}

func equalKinds(a, b []audit.Kind) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// A credential from before there were two lists: one status entry that stands alone, no results, and another proof beside it or none.
func TestCredentialsOfOldStayValid(t *testing.T) {
	b := newBench(t)
	c := b.issued(t, 1, layla, oasis)
	row := b.store.keys[0]
	key, err := b.Keys.Sealer.Open(t.Context(), signing.Owner{InstitutionID: string(row.InstitutionID), KeyID: string(row.ID)}, row.Sealed)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(c.Document, &doc); err != nil {
		t.Fatal(err)
	}
	delete(doc, "proof")
	doc["credentialStatus"] = doc["credentialStatus"].([]any)[0]
	subject := doc["credentialSubject"].(map[string]any)
	delete(subject, "result")
	delete(subject["achievement"].(map[string]any), "resultDescription")
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	old := &b.store.credentials[0]
	if old.Document, err = proof.Sign(raw, key, row.Method(), c.IssuedAt); err != nil {
		t.Fatal(err)
	}
	old.Assessment, old.AIHelp, old.SuspensionListID = "", "", ""
	st := b.check(t, c.ID, credential.Valid)
	if st.Claims.Name != c.Name || st.Claims.Assessment != "" || st.Claims.Score != "" {
		t.Errorf("%+v", st.Claims)
	}
	var f *fault.Error
	if err := b.Suspend(t.Context(), issuer(oasis), c.ID, "x"); !errors.As(err, &f) || f.Key != "credential.cannot_suspend" {
		t.Errorf("suspended though nobody could see it: %v", err)
	}
	if err := b.Revoke(t.Context(), issuer(oasis), c.ID, "x"); err != nil {
		t.Fatal(err)
	}
	b.check(t, c.ID, credential.Revoked)
	// A place in a list of suspensions that the document does not have makes it no better.
	b.store.credentials[0].SuspensionListID = c.SuspensionListID
	b.check(t, c.ID, credential.Invalid)
}

// Whatever byte of a list is changed: it does not verify.
func TestChangedStatusLists(t *testing.T) {
	b := newBench(t)
	c := b.issued(t, 1, layla, oasis)
	if err := b.Revoke(t.Context(), issuer(oasis), c.ID, "x"); err != nil {
		t.Fatal(err)
	}
	good, err := b.Lists.Document(t.Context(), c.StatusListID)
	if err != nil {
		t.Fatal(err)
	}
	row := b.store.keys[0]
	resolver := oneKey{Controller: row.Controller, Multikey: row.Multikey, NotBefore: row.CreatedAt}
	if _, err := proof.Verify(t.Context(), good, resolver); err != nil {
		t.Fatalf("the list itself: %v", err)
	}
	// Each tenth byte, so that members, texts, bits and proofs all have their turn; and each kind of change.
	for at := 0; at < len(good); at += 10 {
		for _, to := range []byte{good[at] ^ 1, 'A', '"', 0} {
			if to == good[at] {
				continue
			}
			bad := bytes.Clone(good)
			bad[at] = to
			if _, err := proof.Verify(t.Context(), bad, resolver); err == nil {
				t.Errorf("byte %d, %q in place of %q, verifies: …%s…", at, to, good[at], bad[max(0, at-20):min(len(bad), at+20)])
			}
		}
	}
	other, err := b.Lists.Document(t.Context(), c.SuspensionListID)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"another purpose": {`"statusPurpose":"revocation"`, `"statusPurpose":"suspension"`},
		"a longer life":   {`"validUntil":"2026`, `"validUntil":"2027`},
		"another list":    {string(c.StatusListID), string(c.SuspensionListID)},
		"another ttl":     {`"ttl":300000`, `"ttl":900000`},
		"other bits":      {encodedOf(t, good), encodedOf(t, other)},
	} {
		bad := bytes.ReplaceAll(good, []byte(change[0]), []byte(change[1]))
		if bytes.Equal(bad, good) {
			t.Fatalf("%s: nothing changed", name)
		}
		if _, err := proof.Verify(t.Context(), bad, resolver); err == nil {
			t.Errorf("%s verifies", name)
		}
	}
}

func encodedOf(t *testing.T, list []byte) string {
	t.Helper()
	_, doc := readBits(t, list)
	return doc["credentialSubject"].(map[string]any)["encodedList"].(string)
}

type oneKey proof.Method

func (k oneKey) ResolveMethod(context.Context, string) (proof.Method, error) {
	return proof.Method(k), nil
}
