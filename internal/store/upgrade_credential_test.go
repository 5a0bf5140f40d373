package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/migrations"
)

// What was issued before rows told the key that signed is found by it, as its proofs tell; what tells nothing, or another institution's key,
// hinders nobody.
func TestCredentialsGetKeys(t *testing.T) {
	both(t, func(t *testing.T, url string) {
		ctx := t.Context()
		dialect, words := migrations.SQLite, goose.DialectSQLite3
		if strings.HasPrefix(url, "postgres") {
			dialect, words = migrations.Postgres, goose.DialectPostgres
		}
		db := raw(t, url)
		p, err := goose.NewProvider(words, db, migrations.For(dialect))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.UpTo(ctx, 23); err != nil {
			t.Fatal(err)
		}
		id := func(n string) string { return "01950000-0000-7000-8000-0000000000" + n }
		const at = "'2026-03-01T12:00:00.123456Z'"
		for n, slug := range map[string]string{"01": "north", "02": "south"} {
			exec(t, db, `INSERT INTO institutions (id, slug, name, created_at) VALUES ('`+id(n)+`', '`+slug+`', '`+slug+`', `+at+`)`)
		}
		exec(t, db, `INSERT INTO users (id, username, display_name, password_hash, operator, locale, created_at) VALUES ('`+id("03")+`', 'amina', 'Amina', '', false, '', `+at+`)`)
		exec(t, db, `INSERT INTO status_lists (id, institution_id, issuer, created_at) VALUES ('`+id("04")+`', '`+id("01")+`', 'did:web:north', `+at+`)`)
		for n, key := range map[string][3]string{"05": {id("01"), "did:web:north", "z6MkOne"}, "06": {id("02"), "did:web:south", "z6MkTwo"}} {
			exec(t, db, `INSERT INTO issuer_keys (id, institution_id, controller, multikey, sealed, created_at, revoked_at) VALUES ('`+id(n)+`', '`+key[0]+`', '`+key[1]+`', '`+key[2]+`', '', `+at+`, '2026-03-02T12:00:00.000000Z')`)
		}
		proof := func(method, created string) string {
			return `{"verificationMethod":"` + method + `","created":"` + created + `"}`
		}
		for n, document := range map[string]string{
			"11": `{"proof":[` + proof("did:web:north#z6MkOne", "2026-03-02T12:00:00Z") + `,` + proof("x", "y") + `]}`,
			"12": `{"proof":` + proof("did:web:north#z6MkOne", "2026-03-02T11:59:59Z") + `}`,
			"13": `{"proof":[` + proof("did:web:south#z6MkTwo", "2026-03-03T12:00:00Z") + `]}`,
			"14": `{"name":"nothing"}`,
			"15": `no document at all`,
		} {
			course := "sums-" + n
			exec(t, db, `INSERT INTO courses (id, institution_id) VALUES ('`+course+`', '`+id("01")+`')`)
			exec(t, db, `INSERT INTO course_versions VALUES ('`+id("2"+n[1:])+`', '`+course+`', '`+id("01")+`', 1, 'd', '{}', `+at+`)`)
			exec(t, db, `INSERT INTO enrollments (id, user_id, institution_id, course_id, version_id, created_at) VALUES ('`+id("3"+n[1:])+`', '`+id("03")+`', '`+id("01")+`', '`+course+`', '`+id("2"+n[1:])+`', `+at+`)`)
			exec(t, db, `INSERT INTO credentials (id, enrollment_id, user_id, institution_id, course_id, version_id, name, achievement_name, locale, document, status_list_id, status_index, issued_at, revoked_reason, changed_at)
				VALUES ('`+id(n)+`', '`+id("3"+n[1:])+`', '`+id("03")+`', '`+id("01")+`', '`+course+`', '`+id("2"+n[1:])+`', 'Amina', '{}', 'en', '`+document+`', '`+id("04")+`', `+n+`, `+at+`, '', `+at+`)`)
		}
		if err := p.Close(); err != nil { // and with it the handle: SQLite has one writer
			t.Fatal(err)
		}
		s := migrated(t, url).Credential()
		for n, want := range map[string]credential.Credential{
			"11": {KeyID: keyring.KeyID(id("05")), SignedAt: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)},
			"12": {KeyID: keyring.KeyID(id("05")), SignedAt: time.Date(2026, 3, 2, 11, 59, 59, 0, time.UTC)},
			"13": {SignedAt: time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)},
			"14": {},
			"15": {},
		} {
			c, err := s.FindCredential(ctx, credential.ID(id(n)))
			if err != nil || c.KeyID != want.KeyID || !c.SignedAt.Equal(want.SignedAt) {
				t.Errorf("%s: signed by %q at %s, %v", n, c.KeyID, c.SignedAt, err)
			}
		}
		counts, err := s.CountRefused(ctx, identity.InstitutionID(id("01")))
		if err != nil || len(counts) != 1 || counts[keyring.KeyID(id("05"))] != 1 {
			t.Errorf("%v, %v", counts, err)
		}
	})
}
