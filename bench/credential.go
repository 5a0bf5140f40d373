package main

import (
	"context"
	"crypto/rand"
	"syscall"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/credential/vcjwt"
	"github.com/banyan-lms/banyan/internal/signing"
)

const did = "did:web:localhost%3A8080:institutions:bench"

// unsigned has the form of what the program issues: two results, two competences, two entries of status.
const unsigned = `{"@context":["https://www.w3.org/ns/credentials/v2","https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],` +
	`"id":"http://localhost:8080/verify/019a0000-0000-7000-8000-000000000001","type":["VerifiableCredential","AchievementCredential"],` +
	`"name":"AI in daily life","issuer":{"id":"` + did + `","type":["Profile"],"name":"Banyan Demo School"},"validFrom":"2026-11-23T05:00:00Z",` +
	`"credentialSubject":{"type":["AchievementSubject"],"identifier":[{"type":"IdentityObject","identityType":"name","hashed":false,"identityHash":"Amina Diallo"}],` +
	`"result":[{"type":["Result"],"resultDescription":"http://localhost:8080/en/courses/ai-in-daily-life@1#assessment","value":"unsupervised"},` +
	`{"type":["Result"],"resultDescription":"http://localhost:8080/en/courses/ai-in-daily-life@1#ai-help","value":"undeclared"}],` +
	`"achievement":{"id":"http://localhost:8080/en/courses/ai-in-daily-life@1","type":["Achievement"],"achievementType":"CertificateOfCompletion","name":"AI in daily life",` +
	`"description":"Knows what AI is and how it learns from examples.","criteria":{"narrative":"Read every lesson and passed both labs."},"inLanguage":"en","version":"1",` +
	`"alignment":[{"type":["Alignment"],"targetType":"CFItem","targetName":"Safe and responsible use","targetUrl":"http://localhost:8080/ims/case/v1p1/CFItems/290d5053-1821-55ab-b2f2-70a4818a18b5",` +
	`"targetFramework":"AI competency framework for students","targetCode":"cfs.ethics.apply"},` +
	`{"type":["Alignment"],"targetType":"CFItem","targetName":"Safe and responsible use","targetUrl":"http://localhost:8080/ims/case/v1p1/CFItems/314fff25-8969-52cd-8a99-806f759fcc4e",` +
	`"targetFramework":"AI competency framework for teachers","targetCode":"cft.ethics.deepen"}],` +
	`"resultDescription":[{"id":"http://localhost:8080/en/courses/ai-in-daily-life@1#assessment","type":["ResultDescription"],"name":"Assessment level","resultType":"ext:AssessmentLevel"},` +
	`{"id":"http://localhost:8080/en/courses/ai-in-daily-life@1#ai-help","type":["ResultDescription"],"name":"Help by AI","resultType":"ext:AIAssistance"}]}},` +
	`"credentialStatus":[{"id":"http://localhost:8080/api/status-lists/x-0#94567","type":"BitstringStatusListEntry","statusPurpose":"revocation",` +
	`"statusListIndex":"94567","statusListCredential":"http://localhost:8080/api/status-lists/x-0"},` +
	`{"id":"http://localhost:8080/api/status-lists/x-1#94567","type":"BitstringStatusListEntry","statusPurpose":"suspension",` +
	`"statusListIndex":"94567","statusListCredential":"http://localhost:8080/api/status-lists/x-1"}]}`

type oneMethod proof.Method

func (m oneMethod) ResolveMethod(context.Context, string) (proof.Method, error) {
	return proof.Method(m), nil
}

type oneRSA vcjwt.Method

func (m oneRSA) ResolveRSA(context.Context, string) (vcjwt.Method, error) {
	return vcjwt.Method(m), nil
}

// The goals of issue 6, for one core.
const (
	goalSign  = 150.0
	goalCheck = 300.0
)

// credentials measures signing and checking in this process: how many a second of processor time, whatever else the machine does.
func credentials(ctx context.Context, _ *bench) ([]Figure, error) {
	key, err := signing.Generate(rand.Reader)
	if err != nil {
		return nil, err
	}
	created := time.Date(2026, 11, 23, 5, 0, 1, 0, time.UTC)
	method := did + "#" + key.Multikey()
	resolver := oneMethod{Controller: did, Multikey: key.Multikey(), NotBefore: created}
	var signed []byte
	sign, err := perCPUSecond(func() (err error) {
		signed, err = proof.Sign([]byte(unsigned), key, method, created)
		return err
	})
	if err != nil {
		return nil, err
	}
	check, err := perCPUSecond(func() error {
		_, err := proof.Verify(ctx, signed, resolver)
		return err
	})
	if err != nil {
		return nil, err
	}
	foreign, err := perCPUSecond(func() error {
		_, err := proof.VerifyAny(ctx, signed, resolver)
		return err
	})
	if err != nil {
		return nil, err
	}
	rsaKey, err := signing.GenerateRSA()
	if err != nil {
		return nil, err
	}
	public, err := signing.DecodeJWK([]byte(rsaKey.JWK()))
	if err != nil {
		return nil, err
	}
	kid, token := did+"#"+rsaKey.Thumbprint(), ""
	signJWT, err := perCPUSecond(func() (err error) {
		token, err = vcjwt.Sign(signed, rsaKey, kid, created)
		return err
	})
	if err != nil {
		return nil, err
	}
	checkJWT, err := perCPUSecond(func() error {
		_, err := vcjwt.Verify(ctx, token, oneRSA{Controller: did, Key: public}, resolver)
		return err
	})
	return []Figure{
		{
			Name: "credential-sign", Value: sign, Unit: "1/CPU s", Goal: new(goalSign), Met: new(sign >= goalSign), GoalOf: "value, at least",
			How: "Signing an Open Badges 3.0 document of 3 kB with eddsa-rdfc-2022 and eddsa-jcs-2022, two entries of status, without storage; per second of processor time.",
		},
		{
			Name: "credential-check", Value: check, Unit: "1/CPU s", Goal: new(goalCheck), Met: new(check >= goalCheck), GoalOf: "value, at least",
			How: "Checking both proofs of the same document, its issuer known; per second of processor time.",
		},
		{Name: "credential-check-any", Value: foreign, Unit: "1/CPU s", How: "The same by the rules for any issuer's credentials."},
		{Name: "jwt-sign", Value: signJWT, Unit: "1/CPU s", How: "Signing the same document as RS256 VC-JWT with a key of 3072 bits."},
		{Name: "jwt-check", Value: checkJWT, Unit: "1/CPU s", How: "Checking that token and the two proofs in it."},
	}, err
}

// perCPUSecond does something for two seconds and tells how often in a second of processor time, the collector's included.
func perCPUSecond(do func() error) (float64, error) {
	used := func() (time.Duration, error) {
		var r syscall.Rusage
		err := syscall.Getrusage(syscall.RUSAGE_SELF, &r)
		return time.Duration(r.Utime.Nano() + r.Stime.Nano()), err
	}
	if err := do(); err != nil { // what is read once is not counted
		return 0, err
	}
	from, err := used()
	if err != nil {
		return 0, err
	}
	began, n := time.Now(), 0
	for time.Since(began) < 2*time.Second {
		if err := do(); err != nil {
			return 0, err
		}
		n++
	}
	to, err := used()
	return float64(n) / (to - from).Seconds(), err
}
