package main

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/signing"
)

const did = "did:web:localhost%3A8080:institutions:bench"

// unsigned has the form of what the program issues.
const unsigned = `{"@context":["https://www.w3.org/ns/credentials/v2","https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],` +
	`"id":"http://localhost:8080/verify/019a0000-0000-7000-8000-000000000001","type":["VerifiableCredential","AchievementCredential"],` +
	`"name":"AI in daily life","issuer":{"id":"` + did + `","type":["Profile"],"name":"Banyan Demo School"},"validFrom":"2026-11-23T05:00:00Z",` +
	`"credentialSubject":{"type":["AchievementSubject"],"identifier":[{"type":"IdentityObject","identityType":"name","hashed":false,"identityHash":"Amina Diallo"}],` +
	`"achievement":{"id":"http://localhost:8080/en/courses/ai-in-daily-life@1","type":["Achievement"],"achievementType":"CertificateOfCompletion","name":"AI in daily life",` +
	`"description":"Knows what AI is and how it learns from examples.","criteria":{"narrative":"Read every lesson and passed both labs."},"inLanguage":"en","version":"1"}},` +
	`"credentialStatus":{"id":"http://localhost:8080/api/status-lists/x-0#94567","type":"BitstringStatusListEntry","statusPurpose":"revocation",` +
	`"statusListIndex":"94567","statusListCredential":"http://localhost:8080/api/status-lists/x-0"}}`

type oneMethod proof.Method

func (m oneMethod) ResolveMethod(context.Context, string) (proof.Method, error) {
	return proof.Method(m), nil
}

// credentials measures signing and checking in this process, on one core.
func credentials(ctx context.Context, _ *bench) ([]Figure, error) {
	key, err := signing.Generate(rand.Reader)
	if err != nil {
		return nil, err
	}
	created := time.Date(2026, 11, 23, 5, 0, 1, 0, time.UTC)
	method := did + "#" + key.Multikey()
	resolver := oneMethod{Controller: did, Multikey: key.Multikey(), NotBefore: created}
	var signed []byte
	sign, err := perSecond(func() (err error) {
		signed, err = proof.Sign([]byte(unsigned), key, method, created)
		return err
	})
	if err != nil {
		return nil, err
	}
	check, err := perSecond(func() error {
		_, err := proof.Verify(ctx, signed, resolver)
		return err
	})
	return []Figure{
		{Name: "credential-sign", Value: sign, Unit: "1/s", How: "Signing an Open Badges 3.0 document with eddsa-rdfc-2022, without storage, on one core."},
		{Name: "credential-check", Value: check, Unit: "1/s", How: "Checking the proof of the same document, without storage, on one core."},
	}, err
}

func perSecond(do func() error) (float64, error) {
	began, n := time.Now(), 0
	for time.Since(began) < time.Second {
		if err := do(); err != nil {
			return 0, err
		}
		n++
	}
	return float64(n) / time.Since(began).Seconds(), nil
}
