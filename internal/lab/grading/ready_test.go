package grading

import (
	"context"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/lab/sandbox"
	"github.com/banyan-lms/banyan/internal/lab/sandbox/sandboxtest"
)

// In the real sandbox the rooms come compiled, and anywhere else as source.
func TestRoomsComeCompiled(t *testing.T) {
	e := sandboxtest.Open(t)
	for name, source := range map[string][]byte{harnessName: harness, judgeName: judgeRoom} {
		files := roomFiles(context.Background(), e, name, source)
		if len(files) != 2 || len(files[codeName]) < 1000 || strings.Contains(string(files[name]), "def room") {
			t.Errorf("%s: %d files, %d bytes of code", name, len(files), len(files[codeName]))
		}
		if files = roomFiles(context.Background(), &sandbox.Fake{}, name, source); len(files) != 1 || string(files[name]) != string(source) {
			t.Errorf("%s in a fake sandbox: %d files", name, len(files))
		}
	}
	if code, err := compileRoom(context.Background(), e, "0-broken.py", []byte("def room(")); code != nil || err != nil {
		t.Errorf("what cannot be compiled gives %d bytes, %v", len(code), err)
	}
}
