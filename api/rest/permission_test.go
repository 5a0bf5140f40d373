package rest_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/banyan-lms/banyan/internal/credential/issuing"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/credential/recognition"
	"github.com/banyan-lms/banyan/internal/credential/wallet"
	"github.com/banyan-lms/banyan/internal/curriculum/framework"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/lab"
	"github.com/banyan-lms/banyan/internal/signing"
)

// probes makes one good request for each operation, always about institution A
// and, where the record belongs to somebody, about learner A. An operation without a probe fails the test.
func probes(s *school) map[string]func() call {
	const owner = "learner A"
	e := s.enroll(owner)
	submission := v7()
	s.mustDo(s.as(owner, call{method: http.MethodPost, path: "/api/submissions", body: submissionBody(submission, string(e.ID))}))
	s.finish(e)
	cs, err := s.app.Credential.ListOwn(s.Context(), s.actor(owner), "", 1)
	if err != nil || len(cs) != 1 {
		s.Fatalf("no credential to probe: %v", err)
	}
	// Of somebody else, that stays unrevoked.
	other := s.enroll("other learner A")
	s.finish(other)
	second, err := s.app.DB.Credential().FindCredentialOf(s.Context(), other.ID)
	if err != nil {
		s.Fatal(err)
	}
	in := "/api/institutions/" + string(s.a.ID)
	award := s.waiting(owner)
	awards := in + "/awards/" + string(award.ID)
	batch, _, err := s.app.Issuing.StartBatch(s.Context(), s.actor("admin A"), s.a.ID, issuing.NewBatch{ID: issuing.BatchID(v7())})
	if err != nil {
		s.Fatal(err)
	}
	// Lifts every limit, lest the issuer that others sign in as is limited.
	delegation := func() issuing.HeldDelegation {
		d, err := s.app.Issuing.Delegate(s.Context(), s.actor("admin A"), s.a.ID, issuing.NewDelegation{UserID: s.people["issuer A"].ID})
		if err != nil {
			s.Fatal(err)
		}
		return d
	}
	delegation()
	// Nobody whom the test signs in as: their roles must stay as they are.
	pupil := s.user(identity.NewUser{Memberships: []identity.Membership{{InstitutionID: s.a.ID, Role: identity.Learner}}})
	member := in + "/members/" + string(pupil.ID) + "/roles/trainer"
	v, err := s.app.Curriculum.FindLatest(s.Context(), shipped)
	if err != nil {
		s.Fatal(err)
	}
	upload := pack(s, nil, nil)
	// The same course, published once more with a change: what a regrade tries.
	newer := s.publishNewer()
	regrade := func() lab.RegradeID {
		r, _, err := s.app.Lab.StartRegrade(s.Context(), identity.System(), lab.NewRegrade{
			ID: lab.RegradeID(v7()), InstitutionID: s.a.ID, CourseID: shipped, LabID: "nearest-leaf", To: newer.Number,
		})
		if err != nil {
			s.Fatal(err)
		}
		return r.ID
	}
	ready := regrade()
	s.drain()
	seen := in + "/lab-faults/" + string(v.ID) + "/nearest-leaf/seen"
	get := func(path string) func() call { return func() call { return call{method: http.MethodGet, path: path} } }
	with := func(method, path, body string) func() call {
		return func() call { return call{method: method, path: path, body: body} }
	}
	account := func(path, extra string) func() call {
		return func() call {
			body := fmt.Sprintf(`{"username":"new%d","display_name":"New","password":"correct horse"%s}`, s.made.Add(1), extra)
			return call{method: http.MethodPost, path: path, body: body}
		}
	}
	carrier := s.phone(owner)
	recovery := with(http.MethodPost, "/api/devices/"+string(s.device(owner).Device.ID)+"/recovery", `{"password":"correct horse","key":`+jwk+`}`)
	publishers, err := s.app.Trust.Publishers(s.Context(), identity.System())
	if err != nil || len(publishers) == 0 {
		s.Fatalf("nobody to trust: %v", err)
	}
	publisher := `{"documents":[` + strconv.Quote(publishers[0].Documents[0]) + `]}`
	const template = `{"orientation":"portrait","accent":"#14505c","border":"single","logo":"end","line":{"en":"A line"}}`
	// Whom somebody erases; made beforehand, because some tests watch whether anything is stored.
	var leavers []identity.UserID
	for range 24 {
		leavers = append(leavers, s.user(identity.NewUser{Memberships: []identity.Membership{{InstitutionID: s.a.ID, Role: identity.Learner}}}).ID)
	}
	turn := 0
	admin := s.actor("admin A")
	recognised := func() recognition.Shown {
		r, err := s.app.Recognition.Recognise(s.Context(), admin, s.a.ID, recognition.New{
			ID: recognition.ID(v7()), OfDID: "did:web:b.example", OfAchievement: "https://b.example/en/courses/x", Terms: recognition.Terms{OfName: "X", As: map[string]string{"en": "Y"}},
		})
		if err != nil {
			s.Fatal(err)
		}
		return r
	}
	imported := func() wallet.Imported {
		i, err := s.app.DB.Wallet().CreateImported(s.Context(), wallet.Imported{
			ID: wallet.ImportedID(v7()), UserID: s.people[owner].ID, Digest: v7(), Format: wallet.JSON, Document: cs[0].Document, State: "valid", CheckedAt: s.app.Now(), CreatedAt: s.app.Now(),
		})
		if err != nil {
			s.Fatal(err)
		}
		return i
	}
	share := func() wallet.Share {
		sh, err := s.app.Wallet.Share(s.Context(), s.actor(owner), wallet.NewShare{CredentialID: cs[0].ID})
		if err != nil {
			s.Fatal(err)
		}
		return sh
	}
	signatory := v7()
	_, err = s.app.Institution.Update(s.Context(), identity.System(), s.a.ID, institution.Change{Signatories: &[]institution.Signatory{{ID: signatory, Name: "Head"}}})
	if err != nil {
		s.Fatal(err)
	}
	ring, err := s.app.Keys.List(s.Context(), identity.System(), s.a.ID)
	if err != nil || len(ring.Keys) == 0 {
		s.Fatalf("no key to probe: %v", err)
	}
	revoked := keyring.KeyID(v7())
	for _, id := range []keyring.KeyID{revoked, keyring.KeyID(v7())} {
		if _, err := s.app.Keys.Rotate(s.Context(), identity.System(), s.a.ID, id); err != nil {
			s.Fatal(err)
		}
	}
	if _, err := s.app.Keys.Revoke(s.Context(), identity.System(), s.a.ID, revoked, s.app.Credential.Now(), "A test."); err != nil {
		s.Fatal(err)
	}
	picture := func(path string) func() call {
		return func() call {
			return call{method: http.MethodPut, path: path, body: drawing(s, 40, 30), contentType: "image/png"}
		}
	}
	s.app.Institution.Domains = nil // nobody is asked
	claim := func() {
		found, err := s.app.Institution.FindDomain(s.Context(), identity.System(), s.a.ID)
		if err == nil && found.Wanted() != "alpha.example" {
			_, err = s.app.Institution.Update(s.Context(), identity.System(), s.a.ID, institution.Change{Domain: new("alpha.example")})
		}
		if err != nil {
			s.Fatal(err)
		}
	}
	claim() // here, so that what is refused finds nothing changed
	claimed := func(method, body string) func() call {
		return func() call {
			claim()
			return call{method: method, path: in + "/domain", body: body}
		}
	}
	return map[string]func() call{
		"getHealth":      get("/api/health"),
		"createUser":     account("/api/users", ""),
		"getMe":          get("/api/me"),
		"updateMe":       with(http.MethodPatch, "/api/me", `{"display_name":"Renamed"}`),
		"changePassword": with(http.MethodPut, "/api/me/password", `{"current":"correct horse","new":"correct horse"}`),
		"eraseMe": func() call {
			return call{method: http.MethodPost, path: "/api/me/erasure", body: `{"password":"correct horse"}`, last: true}
		},
		"eraseMember": func() call {
			next := leavers[turn%len(leavers)]
			turn++
			return call{method: http.MethodPost, path: in + "/members/" + string(next) + "/erasure", body: `{"reason":"requested"}`}
		},
		"getCertificateName":     get("/api/me/certificate-name"),
		"confirmCertificateName": with(http.MethodPut, "/api/me/certificate-name", `{"name":"Amina Diallo"}`),
		"createSession":          with(http.MethodPost, "/api/sessions", `{"username":"`+s.people[owner].Username+`","password":"correct horse"}`),
		"listSessions":           get("/api/sessions"),
		"deleteCurrentSession":   with(http.MethodDelete, "/api/sessions/current", ""),
		"deleteSession": func() call {
			sess, _ := s.session(owner)
			return call{method: http.MethodDelete, path: "/api/sessions/" + string(sess.ID)}
		},
		"listTokens":  get("/api/tokens"),
		"createToken": with(http.MethodPost, "/api/tokens", `{"name":"x","scopes":["read"],"expires_in_days":1}`),
		"deleteToken": func() call {
			t, _ := s.token(owner, identity.ScopeRead)
			return call{method: http.MethodDelete, path: "/api/tokens/" + string(t.ID)}
		},
		"createDeviceSession": with(http.MethodPost, "/api/sessions/from-device", ""),
		"listDevices":         get("/api/devices"),
		"createDevice": func() call {
			return call{method: http.MethodPost, path: "/api/devices", body: deviceBody(v7())}
		},
		"revokeDevice": func() call {
			return call{method: http.MethodDelete, path: "/api/devices/" + string(s.device(owner).Device.ID)}
		},
		"recoverDevice":     recovery,
		"listMemberDevices": get(in + "/members/" + string(pupil.ID) + "/devices"),
		"listInstitutions":  get("/api/institutions"),
		"createInstitution": func() call {
			return call{method: http.MethodPost, path: "/api/institutions", body: fmt.Sprintf(`{"slug":"new-%d","name":"New"}`, s.made.Add(1))}
		},
		"findInstitution":   get(in),
		"updateInstitution": with(http.MethodPatch, in, `{"country":"KE","fallbacks":{"ff":["fr"]}}`),
		"listKeys":          get(in + "/keys"),
		"rotateKey": func() call {
			return call{method: http.MethodPost, path: in + "/keys", body: `{"id":"` + v7() + `"}`}
		},
		"revokeKey":       with(http.MethodPut, in+"/keys/"+string(ring.Keys[0].ID)+"/revocation", `{"from":"`+cs[0].IssuedAt.Add(time.Second).Format(time.RFC3339)+`","reason":"A test."}`), // what it signed before stays good
		"renewSignatures": with(http.MethodPut, in+"/keys/"+string(revoked)+"/renewal", ""),
		"listAudit":       get(in + "/audit"),
		"getDomain":       get(in + "/domain"),
		"checkDomain":     claimed(http.MethodPost, ""),
		"confirmDomain":   claimed(http.MethodPut, `{"domain":"alpha.example"}`),
		"setLogo":         picture(in + "/logo"),
		"removeLogo":      with(http.MethodDelete, in+"/logo", ""),
		"setSignature":    picture(in + "/signatories/" + signatory + "/signature"),
		"removeSignature": with(http.MethodDelete, in+"/signatories/"+signatory+"/signature", ""),
		"listMembers":     get(in + "/members"),
		"createMember":    account(in+"/members", `,"role":"learner"`),
		"addRole":         with(http.MethodPut, member, ""),
		"removeRole":      with(http.MethodDelete, member, ""),
		"publishCourse": func() call {
			return call{method: http.MethodPost, path: in + "/course-versions", body: upload, contentType: "application/zip"}
		},
		"listLabFaults":    get(in + "/lab-faults"),
		"markLabFaultSeen": with(http.MethodPut, seen, `{"until":"2026-03-01T10:00:00Z"}`),
		"listRegrades":     get(in + "/regrades"),
		"createRegrade": func() call {
			return call{method: http.MethodPost, path: in + "/regrades", body: fmt.Sprintf(`{"id":"%s","course_id":"%s","lab_id":"nearest-leaf","to":%d}`, v7(), shipped, newer.Number)}
		},
		"getRegrade":         get(in + "/regrades/" + string(ready)),
		"listRegradeResults": get(in + "/regrades/" + string(ready) + "/results?change=same"),
		"applyRegrade":       with(http.MethodPut, in+"/regrades/"+string(ready)+"/application", `{"mode":"favourable"}`),
		"discardRegrade": func() call {
			return call{method: http.MethodDelete, path: in + "/regrades/" + string(regrade())}
		},
		"getCertificateTemplate":    get(in + "/certificate-template"),
		"setCertificateTemplate":    with(http.MethodPut, in+"/certificate-template", template),
		"removeCertificateTemplate": with(http.MethodDelete, in+"/certificate-template?course="+shipped, ""),
		"previewCertificate":        with(http.MethodPost, in+"/certificate-template/preview?locale=ar", template),
		"getCertificatePDF":         get("/api/credentials/" + string(cs[0].ID) + "/certificate.pdf"),
		"getBundle":                 get("/api/bundles/" + shipped),
		"planBundle":                get("/api/bundles/" + shipped + "/plan?locale=en&tier=text"),
		"listPublishers":            get("/api/publishers"),
		"trustPublisher":            with(http.MethodPost, "/api/publishers", publisher),
		"distrustPublisher":         with(http.MethodDelete, "/api/publishers?publisher=did:web:nobody.example", ""),
		"listInstitutionPublishers": get(in + "/publishers"),
		"trustInstitutionPublisher": with(http.MethodPost, in+"/publishers", publisher),
		"getInstitutionTrust":       get(in + "/trust"),
		"takeInstitutionTrust": func() call {
			return call{method: http.MethodPost, path: in + "/trust", body: s.do(call{method: http.MethodGet, path: "/api/trust"}).Body.String(), contentType: "application/octet-stream"}
		},
		"distrustInstitutionPublisher": with(http.MethodDelete, in+"/publishers?publisher=did:web:nobody.example", ""),
		"listParkedJobs":               get("/api/parked-jobs"),
		"retryParkedJobs":              with(http.MethodPost, "/api/parked-jobs/retries", ""),
		"retryParkedJob": func() call {
			j, err := job.New(job.ID(v7()), "test.kind", struct{}{})
			if err != nil {
				s.Fatal(err)
			}
			if err := s.app.DB.Lab().Enqueue(s.Context(), j); err != nil {
				s.Fatal(err)
			}
			if err := s.app.DB.Outbox().Park(s.Context(), j.ID, "given up"); err != nil {
				s.Fatal(err)
			}
			return call{method: http.MethodPost, path: "/api/parked-jobs/" + string(j.ID) + "/retry"}
		},
		"listInstitutionEnrollments": get(in + "/enrollments"),
		"listIssuedCredentials":      get(in + "/credentials"),
		"listCourses":                get("/api/courses"),
		"getCourse":                  get("/api/courses/" + shipped),
		"getBlob":                    get("/api/blobs/" + string(v.Manifest.Modules[0].Items[0].Fragment["en"])),
		"getAllCFDocuments":          get(caseBase + "CFDocuments"),
		"getCFDocument":              get(caseBase + "CFDocuments/" + framework.Identifier("cfs")),
		"getCFPackage":               get(caseBase + "CFPackages/" + framework.Identifier("cfs")),
		"getCFItem":                  get(caseBase + "CFItems/" + framework.Identifier("cfs.ethics.apply")),
		"getCFItemAssociations":      get(caseBase + "CFItemAssociations/" + framework.Identifier("cfs.ethics.apply")),
		"getCFAssociation":           get(caseBase + "CFAssociations/" + framework.Shipped().Documents()[0].Associations[0].Identifier),
		"listEnrollments":            get("/api/enrollments"),
		"createEnrollment":           with(http.MethodPost, "/api/enrollments", `{"course_id":"`+shipped+`","institution_id":"`+string(s.a.ID)+`"}`),
		"getProgress":                get("/api/enrollments/" + string(e.ID) + "/progress"),
		"listStatements":             get("/api/statements"),
		"appendStatements": func() call {
			return call{method: http.MethodPost, path: "/api/statements", body: `[` + statement(v7(), string(e.ID)) + `]`}
		},
		"sync": func() call {
			body := `{"device":"` + v7() + `","epoch":1,"acknowledged":0,"statements":[` + stamped(v7(), string(e.ID), 1) + `]}`
			return call{method: http.MethodPost, path: "/api/sync", body: body}
		},
		"pull": get("/api/sync"),
		"importWork": func() call {
			return call{method: http.MethodPost, path: "/api/sync/import", body: carrier.sign(carrier.work([]string{stamped(v7(), string(e.ID), 1)}, nil))}
		},
		"listSubmissions": get("/api/submissions?lab_id=nearest-leaf&enrollment_id=" + string(e.ID)),
		"createSubmission": func() call {
			return call{method: http.MethodPost, path: "/api/submissions", body: submissionBody(v7(), string(e.ID))}
		},
		"getSubmission":       get("/api/submissions/" + submission),
		"listCredentials":     get("/api/credentials"),
		"getCredential":       get("/api/credentials/" + string(cs[0].ID)),
		"getCredentialJwt":    get("/api/credentials/" + string(cs[0].ID) + "/jwt"),
		"getStanding":         get("/api/credentials/" + string(cs[0].ID) + "/standing"),
		"revokeCredential":    with(http.MethodPut, "/api/credentials/"+string(cs[0].ID)+"/revocation", `{"reason":"A test."}`),
		"suspendCredential":   with(http.MethodPut, "/api/credentials/"+string(second.ID)+"/suspension", `{"reason":"A test."}`),
		"reinstateCredential": with(http.MethodPut, "/api/credentials/"+string(second.ID)+"/reinstatement", `{"reason":"A test."}`),
		"listCriteria":        get(in + "/criteria"),
		"setCriteria": with(http.MethodPut, in+"/criteria/"+shipped,
			`{"items":[],"min_score":0.5,"approval":true,"confirm_name":false,"ask_help":false,"assessment":"unsupervised","months":12,"competences":[]}`),
		"listInstitutionAwards": get(in + "/awards?state=waiting&course_id=asked-for"),
		"decideAward":           with(http.MethodPut, awards+"/decision", `{"approve":false,"reason":"A test."}`),
		"assessAward":           with(http.MethodPut, awards+"/assessment", `{"assessment":"on_site"}`),
		"confirmAwardName": func() call {
			name, _, err := s.app.Wallet.CertificateName(s.Context(), award.UserID)
			if err != nil {
				s.Fatal(err)
			}
			return call{method: http.MethodPut, path: awards + "/name", body: `{"name":` + strconv.Quote(name) + `}`}
		},
		"listAwards":       get("/api/awards"),
		"declareAward":     with(http.MethodPut, "/api/awards/"+string(award.ID)+"/declaration", `{"ai_help":"some"}`),
		"listIssueBatches": get(in + "/issue-batches"),
		"createIssueBatch": func() call {
			return call{method: http.MethodPost, path: in + "/issue-batches", body: `{"id":"` + v7() + `","awards":[],"assessment":"supervised"}`}
		},
		"getIssueBatch":    get(in + "/issue-batches/" + string(batch.ID)),
		"listDelegations":  get(in + "/delegations"),
		"createDelegation": with(http.MethodPost, in+"/delegations", `{"user_id":"`+string(s.people["issuer A"].ID)+`","courses":[],"quota":1000}`),
		"endDelegation": func() call {
			return call{method: http.MethodDelete, path: in + "/delegations/" + string(delegation().ID)}
		},
		"getStatusList":    get("/api/status-lists/" + string(cs[0].StatusListID)),
		"listRecognitions": get("/api/recognitions?by=" + string(s.a.ID)),
		"listIssuers":      get("/api/issuers"),
		"getRecognition":   get("/api/recognitions/" + string(recognised().ID)),
		"createRecognition": func() call {
			return call{method: http.MethodPost, path: in + "/recognitions", body: `{"id":"` + v7() + `","of_did":"did:web:b.example","of_achievement":"https://b.example/en/courses/x@2","of_name":"X","as":{"en":"Y"}}`}
		},
		"endRecognition": func() call {
			return call{method: http.MethodDelete, path: in + "/recognitions/" + string(recognised().ID)}
		},
		"listImports":      get("/api/wallet/imports"),
		"importCredential": with(http.MethodPost, "/api/wallet/imports", `{"text":`+strconv.Quote(foreign(s))+`}`),
		"checkImport": func() call {
			return call{method: http.MethodPost, path: "/api/wallet/imports/" + string(imported().ID) + "/check"}
		},
		"deleteImport": func() call {
			return call{method: http.MethodDelete, path: "/api/wallet/imports/" + string(imported().ID)}
		},
		"listShares":  get("/api/wallet/shares"),
		"createShare": with(http.MethodPost, "/api/wallet/shares", `{"credential_id":"`+string(cs[0].ID)+`","named":true}`),
		"endShare": func() call {
			return call{method: http.MethodDelete, path: "/api/wallet/shares/" + string(share().ID)}
		},
		"openShare":        get("/api/shares/" + share().Token),
		"getCode":          get("/api/credentials/" + string(cs[0].ID) + "/code.txt"),
		"getCodeSvg":       get("/api/credentials/" + string(cs[0].ID) + "/code.svg"),
		"getCodePng":       get("/api/credentials/" + string(cs[0].ID) + "/code.png?name=0"),
		"getTrust":         get("/api/trust"),
		"getBadgePNG":      get("/api/credentials/" + string(cs[0].ID) + "/badge.png"),
		"getBadgeSVG":      get("/api/credentials/" + string(cs[0].ID) + "/badge.svg"),
		"verifyCredential": with(http.MethodPost, "/api/credentials/verify", `{"text":"BNY1:ABC"}`),
	}
}

// foreign is a credential of an issuer that is a key, whom nobody here can revoke.
func foreign(s *school) string {
	s.Helper()
	k, err := signing.Generate(rand.Reader)
	if err != nil {
		s.Fatal(err)
	}
	did := "did:key:" + k.Multikey()
	doc := `{"@context":["` + proof.CredentialsV2 + `","` + proof.OpenBadges303 + `"],"id":"https://b.example/c/1","type":["VerifiableCredential","AchievementCredential"],` +
		`"name":"X","issuer":{"id":"` + did + `","type":["Profile"],"name":"B"},"validFrom":"2026-01-01T00:00:00Z",` +
		`"credentialSubject":{"type":["AchievementSubject"],"identifier":[{"type":"IdentityObject","identityType":"name","hashed":false,"identityHash":"A"}],` +
		`"achievement":{"id":"https://b.example/x","type":["Achievement"],"name":"X","description":"X","criteria":{"narrative":"X"}}}}`
	signed, err := proof.Sign([]byte(doc), k, did+"#"+k.Multikey(), s.app.Now())
	if err != nil {
		s.Fatal(err)
	}
	return string(signed)
}

func submissionBody(id, enrollment string) string {
	return `{"id":"` + id + `","enrollment_id":"` + enrollment + `","lab_id":"nearest-leaf","files":{"main.py":"# fake: {\"end\": \"timed_out\"}\nprint(1)"}}`
}

func statement(id, enrollment string) string {
	return `{"id":"` + id + `","enrollment_id":"` + enrollment + `","verb":"started","object_id":"what-ai-is","at":"2026-03-01T10:00:00Z"}`
}

// stamped is a statement as POST /api/sync takes it.
func stamped(id, enrollment string, sequence int) string {
	return strings.TrimSuffix(statement(id, enrollment), "}") + fmt.Sprintf(`,"sequence":%d}`, sequence)
}

func (s *school) mustDo(c call) {
	s.Helper()
	if rec := s.do(c); rec.Code >= 300 {
		s.Fatalf("%s %s: %d %s", c.method, c.path, rec.Code, rec.Body)
	}
}

// TestPermissions tries every operation of the contract as everybody, and
// compares with the permission written there.
func TestPermissions(t *testing.T) {
	s := newSchool(t)
	probe := probes(s)
	actors := []string{""}
	for name := range s.people {
		actors = append(actors, name)
	}
	sort.Strings(actors)
	tried := 0
	for path, item := range s.doc.Paths.Map() {
		for method, op := range item.Operations() {
			who := permission(op)
			if len(who) == 0 {
				t.Errorf("%s %s has no x-permission", method, path)
			}
			build, ok := probe[op.OperationID]
			if !ok {
				t.Errorf("%s has no probe", op.OperationID)
				continue
			}
			for _, name := range actors {
				rec := s.do(s.as(name, build()))
				tried++
				refused := rec.Code == http.StatusUnauthorized || rec.Code == http.StatusForbidden || rec.Code == http.StatusNotFound
				switch may := allowed(who, name); {
				case may && rec.Code >= 400:
					t.Errorf("%s as %q: %d, but %v may: %s", op.OperationID, name, rec.Code, who, rec.Body)
				case !may && !refused:
					t.Errorf("%s as %q: %d, but only %v may: %s", op.OperationID, name, rec.Code, who, rec.Body)
				case !may && name == "" && rec.Code != http.StatusUnauthorized:
					t.Errorf("%s unsigned: %d, want 401", op.OperationID, rec.Code)
				}
			}
		}
	}
	t.Logf("tried %d pairs of operation and actor", tried)
}

func permission(op *openapi3.Operation) []string {
	list, _ := op.Extensions["x-permission"].([]any)
	out := make([]string, len(list))
	for i, p := range list {
		out[i], _ = p.(string)
	}
	return out
}

// allowed reads the permission as the contract's description defines it. Every record is learner A's, every institution is A.
func allowed(who []string, name string) bool {
	if slices.Contains(who, "anyone") {
		return true
	}
	if name == "" {
		return false
	}
	if slices.Contains(who, "user") || (slices.Contains(who, "owner") && name == "learner A") {
		return true
	}
	if name == "operator" {
		return slices.Contains(who, "operator")
	}
	words := strings.Fields(strings.TrimPrefix(name, "other "))
	return words[1] == "A" && slices.Contains(who, words[0])
}

// TestScopes tries every operation with bearer tokens: what merely reads needs
// no more than a token, everything else needs the scope of the contract.
func TestScopes(t *testing.T) {
	s := newSchool(t)
	probe := probes(s)
	// What only a session can do, whatever the token's scopes.
	never := []string{"createToken", "deleteCurrentSession", "createDevice", "eraseMe"}
	all := []identity.Scope{identity.ScopeRead, identity.ScopeLearn, identity.ScopePublish, identity.ScopeIssue, identity.ScopeAdmin}
	for _, item := range s.doc.Paths.Map() {
		for method, op := range item.Operations() {
			who := permission(op)
			if slices.Contains(who, "anyone") || slices.Contains(who, "device") {
				continue
			}
			var name string
			for n := range s.people {
				if allowed(who, n) {
					name = n
					break
				}
			}
			scope, _ := op.Extensions["x-scope"].(string)
			if scope == "" && method != http.MethodGet {
				t.Errorf("%s changes something and has no x-scope", op.OperationID)
			}
			for _, have := range all {
				c := probe[op.OperationID]()
				_, c.bearer = s.token(name, have)
				code := s.do(c).Code
				may := (scope == "" || string(have) == scope) && !slices.Contains(never, op.OperationID)
				if may && code >= 400 || !may && code != http.StatusForbidden {
					t.Errorf("%s as %q with scope %s: %d, x-scope is %q", op.OperationID, name, have, code, scope)
				}
			}
		}
	}
}
