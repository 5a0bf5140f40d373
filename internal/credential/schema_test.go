package credential_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/banyan-lms/banyan/internal/credential"
)

func TestDocumentFollowsOpenBadges(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	schema, err := compiler.Compile("testdata/achievement-credential.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	check := func(doc []byte) error {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
		if err != nil {
			return err
		}
		return schema.Validate(v)
	}
	b := newBench(t)
	arabic := b.issued(t, 1, layla, oasis)
	b.Validity = time.Hour
	expiring := b.issued(t, 2, sam, river)
	score := 0.875
	asked := b.granted(t, credential.Grant{
		EnrollmentID: b.enroll(3, sam, oasis), Score: &score, MinScore: 0.8, Months: 24, Assessment: credential.OnSite, AIHelp: credential.SomeHelp,
		Competences: []string{"cfs.ethics.apply"},
	})
	for _, doc := range [][]byte{arabic.Document, expiring.Document, asked.Document} {
		if err := check(doc); err != nil {
			t.Errorf("%v\n%s", err, doc)
		}
	}
	// The schema is awake: the two mistakes that the official one is known to refuse.
	for name, doc := range map[string][]byte{
		"a proof that is no array": bytes.Replace(bytes.Replace(arabic.Document, []byte(`"proof":[`), []byte(`"proof":`), 1), []byte("}]}"), []byte("}}"), 1),
		"a status without an id":   bytes.Replace(arabic.Document, []byte(`"credentialStatus":[{"id"`), []byte(`"credentialStatus":[{"statusSize"`), 1),
	} {
		if err := check(doc); err == nil || bytes.Equal(doc, arabic.Document) {
			t.Errorf("%s passes: %v", name, err)
		}
	}
}
