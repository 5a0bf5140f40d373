package credential_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/schema"
	"github.com/banyan-lms/banyan/internal/institution"
)

// Every kind of document that is issued follows the schema of Open Badges.
func TestDocumentsFollowOpenBadges(t *testing.T) {
	ctx, b := t.Context(), newBench(t)
	documents := map[string][]byte{}
	arabic := b.issued(t, 1, layla, oasis)
	documents["arabic"] = arabic.Document
	score := 0.875
	asked := b.granted(t, credential.Grant{
		EnrollmentID: b.enroll(2, sam, oasis), Score: &score, MinScore: 0.8, Months: 24, Assessment: credential.OnSite, AIHelp: credential.SomeHelp,
		Competences: []string{"cfs.ethics.apply"},
	})
	documents["score, level, help, competences, end"] = asked.Document
	b.Validity = time.Hour
	documents["expiring"] = b.issued(t, 3, sam, river).Document
	b.Validity = 0

	in := b.world.institutions[river]
	in.Names, in.Country, in.Domain = map[string]string{"en": "River school", "ar": "مدرسة النهر"}, "EG", "river.example"
	in.Logo = &institution.Picture{Digest: blob.Of([]byte("logo")), Ext: "png", Width: 360, Height: 360}
	in.Signatories = []institution.Signatory{{Name: "Horace Mann"}}
	b.world.institutions[river] = in
	documents["names, logo, signatories, a domain"] = b.issued(t, 4, sam, river).Document

	b.leave(layla)
	if err := b.EraseNames(ctx, b.erasure(t, 1, layla)); err != nil {
		t.Fatal(err)
	}
	erased, err := b.store.FindCredential(ctx, arabic.ID)
	if err != nil || strings.Contains(string(erased.Document), "identifier") {
		t.Fatalf("%v %s", err, erased.Document)
	}
	documents["erased"] = erased.Document

	token, err := b.forms.JWT(ctx, asked.ID)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	documents["payload of a JWT"] = payload
	if documents["as it was first"], err = os.ReadFile("proof/testdata/first-form.json"); err != nil {
		t.Fatal(err)
	}
	for name, doc := range documents {
		t.Run(name, func(t *testing.T) { schema.Passes(t, schema.Achievement, doc) })
	}
	// What the table is for is in it.
	for name, part := range map[string]string{
		"arabic": `"inLanguage":"ar"`, "expiring": `"validUntil"`, "score, level, help, competences, end": `"alignment"`, "names, logo, signatories, a domain": `"did:web:river.example"`, "payload of a JWT": `"jti"`,
		"erased": `"urn:uuid:`,
	} {
		if !strings.Contains(string(documents[name]), part) {
			t.Errorf("%s has no %s: %s", name, part, documents[name])
		}
	}
}

// The schema is awake: at every place of our documents it refuses what does not belong there.
func TestSchemaRefuses(t *testing.T) {
	b := newBench(t)
	score := 0.5
	c := b.granted(t, credential.Grant{EnrollmentID: b.enroll(1, layla, oasis), Score: &score, Months: 1, Competences: []string{"cfs.ethics.apply"}})
	at := func(d any, path ...any) any {
		for _, p := range path {
			switch p := p.(type) {
			case string:
				d = d.(map[string]any)[p]
			case int:
				d = d.([]any)[p]
			}
		}
		return d
	}
	for _, tt := range []struct {
		path  []any
		value any // nil: taken away
		want  string
	}{
		{[]any{"@context"}, "https://www.w3.org/ns/credentials/v2", "/@context"},
		{[]any{"@context"}, nil, "/"},
		{[]any{"@context", 0}, "https://www.w3.org/2018/credentials/v1", "/@context/0"},
		{[]any{"@context", 1}, "https://purl.imsglobal.org/spec/ob/v2p0/context.json", "/@context/1"},
		{[]any{"id"}, nil, "/"},
		{[]any{"id"}, "7", "/id"},
		{[]any{"type"}, "AchievementCredential", "/type"},
		{[]any{"type", 0}, "Credential", "/type/0"},
		{[]any{"type", 1}, "EndorsementCredential", "/type/1"},
		{[]any{"name"}, map[string]any{"en": "AI"}, "/name"},
		{[]any{"issuer"}, nil, "/"},
		{[]any{"issuer", "id"}, nil, "/issuer"},
		{[]any{"issuer", "type"}, "Profile", "/issuer/type"},
		{[]any{"issuer", "name"}, map[string]any{"en": "Oasis"}, "/issuer/name"},
		{[]any{"issuer", "image"}, "https://oasis.example/logo.png", "/issuer/image"},
		{[]any{"validFrom"}, nil, "/"},
		{[]any{"validFrom"}, "2026-11-23", "/validFrom"},
		{[]any{"validUntil"}, "2026-11-23 05:00", "/validUntil"},
		{[]any{"proof"}, map[string]any{"type": "DataIntegrityProof"}, "/proof"},
		{[]any{"proof", 0, "type"}, nil, "/proof/0"},
		{[]any{"proof", 0, "created"}, "today", "/proof/0/created"},
		{[]any{"credentialStatus", "id"}, nil, "/credentialStatus"},
		{[]any{"credentialStatus", "type"}, nil, "/credentialStatus"},
		{[]any{"credentialStatus"}, []any{}, "/credentialStatus"},
		{[]any{"credentialSubject"}, nil, "/"},
		{[]any{"credentialSubject", "type"}, nil, "/credentialSubject"},
		{[]any{"credentialSubject", "type"}, []any{"Person"}, "/credentialSubject/type/0"},
		{[]any{"credentialSubject", "achievement"}, nil, "/credentialSubject"},
		{[]any{"credentialSubject", "identifier", 0, "identityType"}, "nickname", "/credentialSubject/identifier/0/identityType"},
		{[]any{"credentialSubject", "identifier", 0, "hashed"}, "false", "/credentialSubject/identifier/0/hashed"},
		{[]any{"credentialSubject", "identifier", 0, "born"}, "2001-01-01", "/credentialSubject/identifier/0"},
		{[]any{"credentialSubject", "result", 0, "resultDescription"}, "score", "/credentialSubject/result/0/resultDescription"},
		{[]any{"credentialSubject", "result", 0, "value"}, 50, "/credentialSubject/result/0/value"},
		{[]any{"credentialSubject", "achievement", "achievementType"}, "Diplomas", "/credentialSubject/achievement/achievementType"},
		{[]any{"credentialSubject", "achievement", "criteria"}, nil, "/credentialSubject/achievement"},
		{[]any{"credentialSubject", "achievement", "description"}, nil, "/credentialSubject/achievement"},
		{[]any{"credentialSubject", "achievement", "inLanguage"}, "Arabic", "/credentialSubject/achievement/inLanguage"},
		{[]any{"credentialSubject", "achievement", "version"}, 3, "/credentialSubject/achievement/version"},
		{[]any{"credentialSubject", "achievement", "alignment", 0, "targetType"}, "Item", "/credentialSubject/achievement/alignment/0/targetType"},
		{[]any{"credentialSubject", "achievement", "alignment", 0, "targetUrl"}, nil, "/credentialSubject/achievement/alignment/0"},
		{[]any{"credentialSubject", "achievement", "resultDescription", 0, "resultType"}, "Level", "/credentialSubject/achievement/resultDescription/0/resultType"},
		{[]any{"credentialSubject", "achievement", "resultDescription", 0, "id"}, nil, "/credentialSubject/achievement/resultDescription/0"},
	} {
		var doc map[string]any
		if err := json.Unmarshal(c.Document, &doc); err != nil {
			t.Fatal(err)
		}
		doc["credentialStatus"] = at(doc, "credentialStatus", 0)
		parent, last := at(doc, tt.path[:len(tt.path)-1]...), tt.path[len(tt.path)-1]
		switch p := parent.(type) {
		case map[string]any:
			name := last.(string)
			if p[name] = tt.value; tt.value == nil {
				delete(p, name)
			}
		case []any:
			p[last.(int)] = tt.value
		}
		raw, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		found := schema.Refusals(t, schema.Achievement, raw)
		if !slices.ContainsFunc(found, func(f string) bool { place, _, _ := strings.Cut(f, ": "); return place == tt.want }) {
			t.Errorf("%v = %v: want a refusal at %s: %q", tt.path, tt.value, tt.want, found)
		}
	}
}
