package wallet_test

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/credential/wallet"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// register answers for the credentials that were issued here. Its rows have no row in the database.
type register map[credential.ID]credential.Standing

func (r register) Find(_ context.Context, id credential.ID) (credential.Credential, error) {
	st, err := r.Check(context.Background(), id)
	return st.Credential, err
}

func (r register) FindAt(ctx context.Context, address string) (credential.Credential, error) {
	return r.Find(ctx, credential.ID(strings.TrimPrefix(address, "https://here.example/verify/")))
}

func (r register) Check(_ context.Context, id credential.ID) (credential.Standing, error) {
	st, ok := r[id]
	if !ok {
		return st, fault.New(fault.NotFound, "credential.not_found")
	}
	return st, nil
}

// links is a store of shares alone: what it refers to needs no row.
type links struct {
	wallet.Store
	all map[wallet.ShareID]wallet.Share
}

func (l *links) CreateShare(_ context.Context, sh wallet.Share, _ time.Time) (wallet.Share, error) {
	if before, ok := l.all[sh.ID]; ok {
		return before, nil
	}
	l.all[sh.ID] = sh
	return sh, nil
}

func (l *links) FindShare(_ context.Context, token string) (wallet.Share, error) {
	for _, sh := range l.all {
		if sh.Token == token {
			return sh, nil
		}
	}
	return wallet.Share{}, fault.New(fault.NotFound, "share.not_found")
}

func (l *links) EndShare(_ context.Context, user identity.UserID, id wallet.ShareID, at time.Time) error {
	sh, ok := l.all[id]
	if !ok || sh.UserID != user {
		return fault.New(fault.NotFound, "share.not_found")
	}
	sh.EndedAt = &at
	l.all[id] = sh
	return nil
}

func TestShare(t *testing.T) {
	ctx, p := t.Context(), newPurse(t)
	amina, sam := p.learner(t, "amina", "Amina"), p.learner(t, "sam", "Sam")
	id := credential.ID(newID())
	revokedAt := p.now.Add(-time.Hour)
	standing := credential.Standing{
		State: credential.Valid, CheckedAt: p.now, Credential: credential.Credential{ID: id, UserID: amina.UserID},
		Claims: credential.Claims{Name: "Amina Diallo", Achievement: "AI", Locale: "en", IssuerName: "Acacia", IssuedAt: p.now},
	}
	reg := register{id: standing}
	p.Store, p.Credentials, p.Random = &links{p.Store, map[wallet.ShareID]wallet.Share{}}, reg, rand.Reader

	opens := func(token, name string, want fault.Code) wallet.Shown {
		t.Helper()
		v, err := p.OpenShare(ctx, token)
		if want == "" && err != nil || want != "" && !fault.Is(err, want) || v.Name != name {
			t.Fatalf("%q shows %+v, %v; want the name %q, fault %q", token, v, err, name, want)
		}
		return v
	}
	named, err := p.Share(ctx, amina, wallet.NewShare{CredentialID: id, Named: true})
	if err != nil || len(named.Token) != 22 {
		t.Fatalf("%+v, %v", named, err)
	}
	until := p.now.Add(time.Hour)
	nameless, err := p.Share(ctx, amina, wallet.NewShare{CredentialID: id, EndsAt: &until})
	if err != nil || nameless.Token == named.Token {
		t.Fatalf("%+v, %v", nameless, err)
	}
	if v := opens(named.Token, "Amina Diallo", ""); v.State != "valid" || v.Achievement != "AI" || v.Issuer != "Acacia" || v.Elsewhere {
		t.Errorf("%+v", v)
	}
	opens(nameless.Token, "", "")

	// The same request again, by a phone that heard no answer, makes no second link.
	if again, err := p.Share(ctx, amina, wallet.NewShare{ID: named.ID, CredentialID: id, Named: true}); err != nil || again.Token != named.Token {
		t.Errorf("%+v, %v", again, err)
	}

	// What is found out is said at once, and the reason only with the name: it may hold one.
	standing.State, standing.Credential.RevokedAt, standing.Credential.RevokedReason = credential.Revoked, &revokedAt, "Amina copied"
	reg[id] = standing
	if v := opens(named.Token, "Amina Diallo", ""); v.State != "revoked" || v.RevokedReason != "Amina copied" || v.RevokedAt == nil {
		t.Errorf("%+v", v)
	}
	if v := opens(nameless.Token, "", ""); v.State != "revoked" || v.RevokedReason != "" || v.RevokedAt == nil {
		t.Errorf("%+v", v)
	}
	standing.State = credential.Invalid
	reg[id] = standing
	if v := opens(named.Token, "", ""); v.Achievement != "" || v.Issuer != "" || v.State != "invalid" {
		t.Errorf("an invalid one says %+v", v)
	}
	standing.State = credential.Valid
	reg[id] = standing

	for what, n := range map[string]wallet.NewShare{
		"the past": {CredentialID: id, EndsAt: &revokedAt}, "now": {CredentialID: id, EndsAt: &p.now}, "nothing": {}, "two": {CredentialID: id, ImportedID: "x"},
	} {
		if _, err := p.Share(ctx, amina, n); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := p.Share(ctx, sam, wallet.NewShare{CredentialID: id}); !fault.Is(err, fault.NotFound) {
		t.Errorf("another's credential: %v", err)
	}
	if _, err := p.Share(ctx, identity.Actor{}, wallet.NewShare{CredentialID: id}); !fault.Is(err, fault.Unauthenticated) {
		t.Error(err)
	}
	if err := p.EndShare(ctx, sam, named.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("another's link: %v", err)
	}
	opens(named.Token, "Amina Diallo", "")
	if err := p.EndShare(ctx, amina, named.ID); err != nil {
		t.Fatal(err)
	}
	opens(named.Token, "", fault.Gone)
	p.now = until.Add(-time.Nanosecond)
	opens(nameless.Token, "", "")
	p.now = until
	opens(nameless.Token, "", fault.Gone)

	for _, token := range []string{"", "x", strings.Repeat("A", 22), strings.Repeat("A", 21) + "B", named.Token + "A", strings.ToLower(named.Token), "' OR 1=1 --"} {
		if token != named.Token {
			opens(token, "", fault.NotFound)
		}
	}
}

// What was earned elsewhere is shown as the last check found it; nobody is asked anew by whoever has the link.
func TestShareImported(t *testing.T) {
	ctx, p := t.Context(), newPurse(t)
	p.Random = rand.Reader
	amina, sam := p.learner(t, "amina", "Amina"), p.learner(t, "sam", "Sam")
	until := p.now.Add(time.Hour)
	i, err := p.db.Wallet().CreateImported(ctx, wallet.Imported{
		ID: wallet.ImportedID(newID()), UserID: amina.UserID, Digest: "d", Format: wallet.JSON, Document: []byte("{}"), State: "valid",
		Claims:    verifier.Claims{Name: "A. Diallo", Achievement: "Rust", Issuer: "did:web:b.example", ValidFrom: p.now, ValidUntil: until},
		CheckedAt: p.now, CreatedAt: p.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Share(ctx, sam, wallet.NewShare{ImportedID: i.ID}); !fault.Is(err, fault.NotFound) {
		t.Errorf("another's: %v", err)
	}
	sh, err := p.Share(ctx, amina, wallet.NewShare{ImportedID: i.ID, Named: true})
	if err != nil {
		t.Fatal(err)
	}
	checked := p.now
	p.now = until
	v, err := p.OpenShare(ctx, sh.Token)
	if err != nil || v.State != "expired" || v.Name != "A. Diallo" || v.Issuer != "did:web:b.example" || !v.Elsewhere || !v.CheckedAt.Equal(checked) {
		t.Errorf("%+v, %v", v, err)
	}
	if list, err := p.ListShares(ctx, amina); err != nil || len(list) != 1 || list[0].Token != sh.Token {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err := p.ListShares(ctx, sam); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	if err := p.db.Wallet().DeleteImported(ctx, amina.UserID, i.ID, p.now); err != nil {
		t.Fatal(err)
	}
	if _, err := p.OpenShare(ctx, sh.Token); !fault.Is(err, fault.Gone) {
		t.Errorf("of what was removed: %v", err)
	}
}
