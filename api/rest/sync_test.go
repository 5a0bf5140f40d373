package rest_test

import (
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/identity"
)

func gzipOf(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func read[T any](t *testing.T, rec *httptest.ResponseRecorder) (v T) {
	t.Helper()
	if rec.Code != http.StatusOK {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func syncBody(device string, statements ...string) string {
	return fmt.Sprintf(`{"device":"%s","epoch":1,"acknowledged":0,"statements":[%s]}`, device, strings.Join(statements, ","))
}

// A device sends in two pieces, compressed; another one of the same learner sees it all, and nobody else does.
func TestSync(t *testing.T) {
	s := newSchool(t)
	e := string(s.enroll("learner A").ID)
	phone := v7()
	post := func(body string) call {
		return s.as("learner A", call{method: http.MethodPost, path: "/api/sync", body: gzipOf(t, body), header: map[string]string{"Content-Encoding": "gzip"}})
	}
	first := read[openapi.SyncAnswer](t, s.do(post(syncBody(phone, stamped(v7(), e, 1), stamped(v7(), e, 2)))))
	second := read[openapi.SyncAnswer](t, s.do(post(strings.Replace(syncBody(phone, stamped(v7(), e, 3)), `"acknowledged"`, `"cursor":"`+first.Cursor+`","acknowledged"`, 1))))
	if first.Known != 2 || second.Known != 3 || !second.Current || second.Epoch != 1 {
		t.Errorf("%+v, then %+v", first, second)
	}
	get := func(name, query string) openapi.SyncPage {
		t.Helper()
		return read[openapi.SyncPage](t, s.do(s.as(name, call{method: http.MethodGet, path: "/api/sync" + query})))
	}
	page := get("learner A", "?limit=2")
	if len(page.Statements) != 2 || !page.More || len(page.Enrollments) != 1 || *page.Statements[1].Arrival != 2 || *page.Statements[1].Device != phone {
		t.Errorf("the first page: %+v", page)
	}
	page = get("learner A", "?limit=2&after="+page.Cursor)
	if len(page.Statements) != 1 || page.More || len(page.Enrollments) != 0 || page.Cursor != second.Cursor || page.Reset {
		t.Errorf("the last page: %+v", page)
	}
	if page := get("other learner A", ""); len(page.Statements) != 0 || len(page.Enrollments) != 0 || page.More {
		t.Errorf("another learner gets %+v", page)
	}
	if page := get("other learner A", "?after="+second.Cursor); !page.Reset || len(page.Statements) != 0 {
		t.Errorf("with the cursor of somebody else: %+v", page)
	}
	// Certificates and revocations are announced.
	before := page.Credentials
	s.finish(s.enroll("learner A"))
	page = get("learner A", "?after="+page.Cursor)
	if before.Count != 0 || page.Credentials.Count != 1 || page.Credentials.ChangedAt == nil {
		t.Errorf("credentials %+v, then %+v", before, page.Credentials)
	}
	cs, err := s.app.Credential.ListOwn(t.Context(), s.actor("learner A"), "", 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.app.Credential.Revoke(t.Context(), s.actor("issuer A"), cs[0].ID, "A test."); err != nil {
		t.Fatal(err)
	}
	if again := get("learner A", "?after="+page.Cursor); !again.Credentials.ChangedAt.After(*page.Credentials.ChangedAt) {
		t.Errorf("a revocation is not announced: %+v", again.Credentials)
	}
}

// A body that is cut anywhere is refused whole.
func TestSyncCutShort(t *testing.T) {
	s := newSchool(t)
	e := string(s.enroll("learner A").ID)
	body := gzipOf(t, syncBody(v7(), stamped(v7(), e, 1), stamped(v7(), e, 2)))
	for cut := 0; cut < len(body); cut += 7 {
		c := s.as("learner A", call{method: http.MethodPost, path: "/api/sync", body: body[:cut], header: map[string]string{"Content-Encoding": "gzip"}})
		c.contentType = "application/json"
		if rec := s.do(c); rec.Code != http.StatusBadRequest && rec.Code != http.StatusUnprocessableEntity || rec.Header().Get("Content-Type") != "application/problem+json" {
			t.Fatalf("cut after %d bytes: %d %s", cut, rec.Code, rec.Body)
		}
	}
	if n, err := s.app.DB.Learning().CountArrived(t.Context(), s.people["learner A"].ID); n != 0 || err != nil {
		t.Errorf("%d statements are kept, %v", n, err)
	}
}

// phone is a device that signs what it exports.
type phone struct {
	id  identity.DeviceID
	key *ecdsa.PrivateKey
}

func (s *school) phone(name string) phone {
	s.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.Fatal(err)
	}
	raw, err := key.PublicKey.Bytes()
	if err != nil {
		s.Fatal(err)
	}
	sess, _ := s.session(name)
	by := s.actor(name)
	by.SessionID = sess.ID
	p := phone{id: identity.DeviceID(v7()), key: key}
	b64 := base64.RawURLEncoding.EncodeToString
	if _, err := s.app.Identity.RegisterDevice(s.Context(), by, identity.NewDevice{
		ID: p.id, Name: "Phone", PublicKey: identity.PublicKey{X: b64(raw[1:33]), Y: b64(raw[33:])},
	}); err != nil {
		s.Fatal(err)
	}
	return p
}

// sign gives the body of an export.
func (p phone) sign(text string) string {
	digest := sha256.Sum256([]byte(text))
	r, sig, err := ecdsa.Sign(rand.Reader, p.key, digest[:])
	if err != nil {
		panic(err)
	}
	raw := make([]byte, 64)
	r.FillBytes(raw[:32])
	sig.FillBytes(raw[32:])
	body, err := json.Marshal(map[string]string{"work": text, "signature": base64.RawURLEncoding.EncodeToString(raw)})
	if err != nil {
		panic(err)
	}
	return string(body)
}

func (p phone) work(statements, submissions []string) string {
	return fmt.Sprintf(`{"type":"work","format":1,"device":"%s","epoch":1,"statements":[%s],"submissions":[%s]}`, p.id, strings.Join(statements, ","), strings.Join(submissions, ","))
}

func TestImport(t *testing.T) {
	s := newSchool(t)
	e := string(s.enroll("learner A").ID)
	p := s.phone("learner A")
	bring := func(body string) *httptest.ResponseRecorder {
		t.Helper()
		return s.do(call{method: http.MethodPost, path: "/api/sync/import", body: gzipOf(t, body), header: map[string]string{"Content-Encoding": "gzip"}})
	}
	one, two, handIn := v7(), v7(), v7()
	text := p.work([]string{stamped(one, e, 1), stamped(two, e, 2)}, []string{submissionBody(handIn, e)})
	first := read[openapi.ImportAnswer](t, bring(p.sign(text)))
	if len(first.Answers) != 2 || first.Answers[1].Status != openapi.SyncedStatementStatusAccepted || first.Known != 2 ||
		len(first.Submissions) != 1 || first.Submissions[0].Status != openapi.ImportedSubmissionStatusAccepted {
		t.Errorf("%+v", first)
	}
	again := read[openapi.ImportAnswer](t, bring(p.sign(text)))
	if again.Answers[0].Status != openapi.SyncedStatementStatusDuplicate || again.Submissions[0].Status != openapi.ImportedSubmissionStatusDuplicate {
		t.Errorf("again: %+v", again)
	}
	// The submission is the learner's, and waits for its verdict like any other.
	s.mustDo(s.as("learner A", call{method: http.MethodGet, path: "/api/submissions/" + handIn}))
	// What is in somebody else's course is not this learner's to do.
	theirs := string(s.enroll("other learner A").ID)
	other := read[openapi.ImportAnswer](t, bring(p.sign(p.work([]string{stamped(v7(), theirs, 3)}, []string{submissionBody(v7(), theirs)}))))
	if other.Answers[0].Status != openapi.SyncedStatementStatusDeferred || other.Submissions[0].Status != openapi.ImportedSubmissionStatusDeferred {
		t.Errorf("another's: %+v", other)
	}
	// A revoked device's work is kept, and says what it is.
	if err := s.app.Identity.RevokeDevice(t.Context(), s.actor("learner A"), p.id); err != nil {
		t.Fatal(err)
	}
	late := read[openapi.ImportAnswer](t, bring(p.sign(p.work([]string{stamped(v7(), e, 3)}, nil))))
	if late.Answers[0].Status != openapi.SyncedStatementStatusAccepted {
		t.Errorf("after the revocation: %+v", late)
	}
	page := read[openapi.SyncPage](t, s.do(s.as("learner A", call{method: http.MethodGet, path: "/api/sync"})))
	marked := 0
	for _, st := range page.Statements {
		if st.AfterRevocation != nil && *st.AfterRevocation {
			marked++
		}
	}
	if len(page.Statements) != 4 || marked != 1 {
		t.Errorf("%d statements, %d of them marked", len(page.Statements), marked)
	}

	stranger := phone{id: p.id, key: s.phone("other learner A").key}
	for name, body := range map[string]string{
		"work.bad_signature":   stranger.sign(text),
		"work.unknown_device":  phone{id: identity.DeviceID(v7()), key: p.key}.sign(phone{id: identity.DeviceID(v7())}.work(nil, nil)),
		"work.too_new":         p.sign(strings.Replace(text, `"format":1`, `"format":2`, 1)),
		"work.not_work":        p.sign(`{"type":"root"}`),
		"work.not_work 2":      p.sign(strings.Replace(text, `"epoch":1`, `"epoch":0`, 1)),
		"work.not_work 3":      p.sign(`[]`),
		"work.bad_signature 2": strings.Replace(p.sign(text), one, v7(), 1),
		"request.invalid":      `{"work":"{}","signature":"x"}`,
	} {
		rec := bring(body)
		key, _, _ := strings.Cut(name, " ")
		if rec.Code != http.StatusUnprocessableEntity || !strings.Contains(rec.Body.String(), `"code":"`+key+`"`) {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
	}
	if n, err := s.app.DB.Learning().CountArrived(t.Context(), s.people["learner A"].ID); n != 4 || err != nil {
		t.Errorf("%d statements, %v", n, err)
	}
}

// Months of work come in one file and are taken in pieces.
func TestImportOfMuch(t *testing.T) {
	s := newSchool(t)
	e := string(s.enroll("learner A").ID)
	p := s.phone("learner A")
	var sts []string
	for n := range 1100 {
		sts = append(sts, stamped(v7(), e, n+1))
	}
	sts[700] = strings.Replace(sts[700], `"verb"`, `"zz":1,"verb"`, 1)
	got := read[openapi.ImportAnswer](t, s.do(call{method: http.MethodPost, path: "/api/sync/import", body: p.sign(p.work(sts, nil))}))
	if len(got.Answers) != 1100 || got.Known != 1100 || got.Answers[700].Status != openapi.SyncedStatementStatusRejected || got.Answers[1099].Status != openapi.SyncedStatementStatusAccepted {
		t.Errorf("%d answers, known %d", len(got.Answers), got.Known)
	}
	if n, err := s.app.DB.Learning().CountArrived(t.Context(), s.people["learner A"].ID); n != 1099 || err != nil {
		t.Errorf("%d statements, %v", n, err)
	}
}

// Whoever brings one piece of work after another has to wait at some time.
func TestImportIsThrottled(t *testing.T) {
	s := newSchool(t)
	for n := range 200 {
		rec := s.do(call{method: http.MethodPost, path: "/api/sync/import", body: `{"work":"{}","signature":"` + strings.Repeat("A", 86) + `"}`})
		if rec.Code == http.StatusTooManyRequests {
			if n < 100 || rec.Header().Get("Retry-After") == "" {
				t.Errorf("after %d: %s", n, rec.Body)
			}
			return
		}
	}
	t.Error("nobody stops them")
}
