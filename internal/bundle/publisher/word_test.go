package publisher_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/bundletest"
	"github.com/banyan-lms/banyan/internal/bundle/intake"
	"github.com/banyan-lms/banyan/internal/bundle/publisher"
	"github.com/banyan-lms/banyan/internal/bundle/servertest"
	"github.com/banyan-lms/banyan/internal/identity"
)

// A word carries what its institution recognises, with the documents, as far as there is room; what is recognised no more is gone from the next.
func TestWordsCarryRecognitions(t *testing.T) {
	hub := servertest.New(t, "hub.example")
	hub.Vouching()
	var given []publisher.RecognitionSource
	hub.Recognitions = func(context.Context, identity.InstitutionID) ([]publisher.RecognitionSource, error) {
		return given, nil
	}
	source := func(id, doc string) publisher.RecognitionSource {
		return publisher.RecognitionSource{Document: []byte(doc), Recognition: bundle.Recognition{
			ID: id, By: "did:web:hub.example", Of: bundle.Recognised{DID: "did:web:b.example", Course: "small"}, As: map[string]string{"en": "Unit"}, From: bundletest.Day(1),
		}}
	}
	words := func() *intake.Words {
		t.Helper()
		return servertest.Must(intake.ReadWords(bundle.NewReader(bytes.NewReader(hub.Word(t))), func(bundle.Chain) (intake.Known, error) { return intake.Known{Anybody: true}, nil }))(t)
	}
	if w := words(); len(w.Words) != 1 || w.Words[0].Trust.Recognitions != nil {
		t.Fatalf("%+v", w.Words)
	}
	given = []publisher.RecognitionSource{source("1", "first"), source("2", "second")}
	w := words()
	got := w.Words[0].Trust.Recognitions
	if len(got) != 2 || got[0].ID != "1" || string(w.Blobs[got[0].Digest]) != "first" || string(w.Blobs[got[1].Digest]) != "second" {
		t.Fatalf("%+v", got)
	}
	at := w.Words[0].Trust.SignedAt
	hub.Clock = hub.Clock.Add(time.Hour)
	if again := words(); !again.Words[0].Trust.SignedAt.Equal(at.Time) {
		t.Error("signed anew for nothing")
	}
	given = given[1:]
	if got := words().Words[0].Trust.Recognitions; len(got) != 1 || got[0].ID != "2" {
		t.Fatalf("one ended: %+v", got)
	}
	given = nil
	for i := range 1000 {
		given = append(given, source(fmt.Sprint(i), fmt.Sprint("document ", i)))
	}
	w = words()
	got = w.Words[0].Trust.Recognitions
	if n := len(got); n < 100 || n >= 1000 || got[0].ID != "0" || len(w.Words[0].Text) > bundle.MaxSigned {
		t.Errorf("%d in %d bytes", n, len(w.Words[0].Text))
	}
	at, hub.Clock = w.Words[0].Trust.SignedAt, hub.Clock.Add(time.Hour)
	if again := words(); !again.Words[0].Trust.SignedAt.Equal(at.Time) {
		t.Error("signed anew for nothing")
	}
}
