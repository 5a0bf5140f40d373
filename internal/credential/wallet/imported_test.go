package wallet_test

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/credential/wallet"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// oracle answers for the verifier: what came, and what it says of it.
type oracle map[string]verifier.Report

func (o oracle) Verify(_ context.Context, in []byte, opts verifier.Options) (verifier.Report, error) {
	if r, ok := o[string(in)]; ok && !opts.Offline {
		return r, nil
	}
	return verifier.Report{State: verifier.Invalid, Reasons: []verifier.Reason{{Code: verifier.NotReadable}}}, nil
}

func TestImport(t *testing.T) {
	ctx, p := t.Context(), newPurse(t)
	amina, sam := p.learner(t, "amina", "Amina"), p.learner(t, "sam", "Sam")
	until := p.now.Add(time.Hour)
	claims := verifier.Claims{ID: "urn:x", Name: "Amina", Achievement: "Rust", Issuer: "did:web:b.example", ValidFrom: p.now, ValidUntil: until}
	good := verifier.Report{
		State: verifier.Valid, Claims: claims, Format: verifier.PNG, Document: []byte(`{"a":1}`), CheckedAt: p.now,
		Notes:   []verifier.Reason{{Code: verifier.Stranger, Args: map[string]any{"Source": "b.example"}}},
		RestsOn: []verifier.Basis{{Kind: verifier.Signature, From: verifier.Web, Source: "key", At: p.now}},
	}
	revoked := good
	revoked.State, revoked.Document, revoked.Format = verifier.Revoked, []byte("ey.J.w"), verifier.JWT
	revoked.Claims.ID = "urn:revoked"
	revoked.Reasons = []verifier.Reason{{Code: verifier.RevokedBy, Args: map[string]any{"Date": p.now, "Reason": "Copied"}}}
	forged := good
	forged.State, forged.Reasons = verifier.Invalid, []verifier.Reason{{Code: verifier.Changed}}
	paper := good
	paper.Format, paper.Document = verifier.QR, []byte("BNY1:X")
	huge := good
	huge.Document = []byte("{" + strings.Repeat(" ", wallet.MaxDocument))
	o := oracle{"picture": good, "again": good, "jwt": revoked, "forged": forged, "code": paper, "huge": huge, "ey.J.w": revoked}
	p.Verifier = o

	i, err := p.Import(ctx, amina, []byte("picture"))
	if err != nil || i.Format != wallet.JSON || string(i.Document) != `{"a":1}` || i.State != verifier.Valid || !reflect.DeepEqual(i.Claims, claims) {
		t.Fatalf("%+v, %v", i, err)
	}
	if again, err := p.Import(ctx, amina, []byte("again")); err != nil || again.ID != i.ID {
		t.Errorf("the same document in another picture: %+v, %v", again, err)
	}
	j, err := p.Import(ctx, amina, []byte("jwt"))
	if err != nil || j.Format != wallet.JWT || j.State != verifier.Revoked {
		t.Fatalf("%+v, %v", j, err)
	}
	list, err := p.ListImported(ctx, amina)
	if err != nil || len(list) != 2 || !reflect.DeepEqual(list[0], i) || !reflect.DeepEqual(list[1], j) {
		t.Fatalf("kept %+v\n want %+v\n and %+v, %v", list, i, j, err)
	}
	if at := list[1].ReportAt(p.now).Reasons[0].Date(); !at.Equal(p.now) {
		t.Errorf("revoked at %v", at)
	}

	for what, want := range map[string]string{"forged": "credential.why.changed", "something": "credential.why.not_readable"} {
		_, err := p.Import(ctx, amina, []byte(what))
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "wallet.invalid") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, code := range map[string]fault.Code{"code": fault.Invalid, "huge": fault.TooLarge, "": fault.Invalid} {
		if _, err := p.Import(ctx, amina, []byte(what)); !fault.Is(err, code) {
			t.Errorf("%q: %v", what, err)
		}
	}

	// The same credential in another document is the same credential, and the better of two counts. One's own is known, in any form.
	other := good
	other.Document, other.Claims = []byte(`{"a": 1}`), claims
	o["spaced"] = other
	if same, err := p.Import(ctx, amina, []byte("spaced")); err != nil || same.ID != i.ID || string(same.Document) != `{"a":1}` {
		t.Errorf("%+v, %v", same, err)
	}
	another := other
	another.Document, another.Claims.Issuer = []byte(`{"a":2}`), "did:web:c.example"
	o["another issuer's"] = another
	theirs, err := p.Import(ctx, amina, []byte("another issuer's"))
	if err != nil || theirs.ID == i.ID || theirs.ID == j.ID {
		t.Errorf("%+v, %v", theirs, err)
	}
	if err := p.Remove(ctx, amina, theirs.ID); err != nil {
		t.Error(err)
	}
	doubted := other
	doubted.State, doubted.Document, doubted.Claims.ID = verifier.Unknown, []byte(`{"b":1}`), "urn:y"
	o["doubted"] = doubted
	first, err := p.Import(ctx, sam, []byte("doubted"))
	if err != nil || first.State != verifier.Unknown {
		t.Fatalf("%+v, %v", first, err)
	}
	certain := doubted
	certain.State, certain.Document, certain.CheckedAt = verifier.Valid, []byte(`ey.b.1`), p.now.Add(time.Second)
	o["certain"] = certain
	better, err := p.Import(ctx, sam, []byte("certain"))
	if err != nil || better.ID != first.ID || better.State != verifier.Valid || string(better.Document) != "ey.b.1" || better.Format != wallet.JWT {
		t.Errorf("%+v, %v", better, err)
	}
	if back, err := p.Import(ctx, sam, []byte("doubted")); err != nil || !reflect.DeepEqual(back, better) {
		t.Errorf("%+v, %v", back, err)
	}
	if err := p.Remove(ctx, sam, first.ID); err != nil {
		t.Error(err)
	}
	own := credential.ID(newID())
	p.Credentials = register{own: {Credential: credential.Credential{ID: own, UserID: amina.UserID}}}
	for _, as := range []verifier.Format{verifier.PNG, verifier.QR} {
		mine := good
		mine.Format, mine.Document, mine.Claims.ID = as, []byte(`{"mine":1}`), "https://here.example/verify/"+string(own)
		o["mine"] = mine
		if _, err := p.Import(ctx, amina, []byte("mine")); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "wallet.own") {
			t.Errorf("one's own as %s: %v", as, err)
		}
	}
	o["mine"] = verifier.Report{State: verifier.Valid, Claims: verifier.Claims{ID: "https://here.example/verify/" + string(own)}, Document: []byte(`{"mine":1}`), CheckedAt: p.now}
	if theirs, err := p.Import(ctx, sam, []byte("mine")); err != nil {
		t.Errorf("another's of here: %v", err)
	} else if err := p.Remove(ctx, sam, theirs.ID); err != nil {
		t.Error(err)
	}

	// What was valid expires by itself, and the next check tells what became of it.
	p.now = until
	if r := i.ReportAt(p.now); r.State != verifier.Expired || len(r.Reasons) != 1 || !r.CheckedAt.Equal(i.CheckedAt) {
		t.Errorf("%+v", r)
	}
	late := forged
	late.CheckedAt, late.Claims = p.now, verifier.Claims{Name: "Another"}
	o[`{"a":1}`] = late
	if _, err := p.Check(ctx, sam, i.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("another's: %v", err)
	}
	checked, err := p.Check(ctx, amina, i.ID)
	if err != nil || checked.State != verifier.Invalid || !checked.CheckedAt.Equal(p.now) || checked.Claims.Name != "Amina" {
		t.Errorf("%+v, %v", checked, err)
	}
	if list, err = p.ListImported(ctx, amina); err != nil || list[0].State != verifier.Invalid || list[0].Claims.Name != "Amina" {
		t.Errorf("%+v, %v", list, err)
	}

	if err := p.Remove(ctx, sam, i.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("another's: %v", err)
	}
	if err := p.Remove(ctx, amina, i.ID); err != nil {
		t.Error(err)
	}
	if list, err = p.ListImported(ctx, amina); err != nil || len(list) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err = p.ListImported(ctx, sam); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	if _, err := p.Import(ctx, identity.Actor{}, []byte("picture")); !fault.Is(err, fault.Unauthenticated) {
		t.Error(err)
	}

	// Each check asks other hosts: nobody makes this server ask without end.
	for range 40 {
		_, err = p.Import(ctx, sam, []byte("forged"))
	}
	if !fault.Is(err, fault.TooMany) {
		t.Errorf("the 40th check: %v", err)
	}
	if _, err := p.Check(ctx, amina, j.ID); err != nil {
		t.Errorf("another learner pays for it: %v", err)
	}
}
