package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/curriculum/compile"
	"github.com/banyan-lms/banyan/internal/curriculum/coursetest"
)

func TestReport(t *testing.T) {
	const course = "../internal/curriculum/coursetest/golden"
	c, err := compile.Course(os.DirFS(course), compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := reportOf(course, &c)
	sum, words := 0, 0
	for _, it := range r.Items {
		sum += it.Figures["en"].Weight.All
		words += it.Figures["en"].Words
	}
	if got := r.Totals["en"]; sum == 0 || got.Weight.All != sum || got.Words != words {
		t.Errorf("the total is %+v, the items come to %d bytes and %d words", got, sum, words)
	}
	var b bytes.Buffer
	if err := r.print(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ITEM ", "\nfirst ", "\nquiz exam ", "\nlab echo ", "\nALL ", " kB "} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
}

// The encoder here is a stand-in: it writes a recording that was made before to where it is told.
func TestEncode(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in is a shell script")
	}
	tone, err := filepath.Abs("../internal/curriculum/media/testdata/tone.opus")
	if err != nil {
		t.Fatal(err)
	}
	bin, dir := t.TempDir(), t.TempDir()
	if err := os.CopyFS(dir, coursetest.Golden()); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	wav := "RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x00\x00\x02\x00" + strings.Repeat("\x00", 0x20000)
	write(filepath.Join(dir, "media", "voice.wav"), wav)
	write(filepath.Join(dir, "lessons", "second.md"), "# Two\n\nA word, talk of voice.wav too.\n\n::: audio voice.wav {#abcdefg}\n:title: A voice\nHello.\n:::\n")
	list, err := os.ReadFile(filepath.Join(dir, "media.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	write(filepath.Join(dir, "media.yaml"), string(list)+"  - {file: voice.wav, licence: CC0-1.0, source: Spoken for this test, author: B}\n")

	t.Setenv("PATH", bin)
	if err := (&encodeCmd{Path: []string{dir}}).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "install ffmpeg") {
		t.Errorf("without an encoder: %v", err)
	}
	write(filepath.Join(bin, "opusenc"), "#!/bin/sh\nfor last; do :; done\nexec /bin/cp "+tone+" \"$last\"\n")
	for range 2 { // the second time there is nothing to gain
		if err := (&encodeCmd{Path: []string{dir}}).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if kept, err := os.ReadFile(filepath.Join(dir, ".originals", "voice.wav")); err != nil || string(kept) != wav {
		t.Errorf("the original: %v", err)
	}
	lesson, err := os.ReadFile(filepath.Join(dir, "lessons", "second.md"))
	if err != nil || !strings.Contains(string(lesson), "::: audio voice.opus {#abcdefg}\n") || !strings.Contains(string(lesson), "talk of voice.wav too") {
		t.Errorf("%s %v", lesson, err)
	}
	c, err := compile.Course(os.DirFS(dir), compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Manifest.Item("second"); !ok {
		t.Error("the lesson is gone")
	}
}
