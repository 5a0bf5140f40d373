package grading

import (
	"bytes"
	"context"
	"encoding/hex"
	"sync"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/lab/sandbox"
)

// Compiling a room takes Python several times as long as starting does. So each is compiled
// once for each runtime, in a clean sandbox, and every run gets the code that came of it.

// readyKey names the code of a room in a runtime.
type readyKey struct {
	runtime blob.Digest
	name    string
}

// readyCode is compiled once; without code the source does.
type readyCode struct {
	mu   sync.Mutex
	done bool
	code []byte
}

var ready sync.Map // readyKey to *readyCode

const (
	codeName = "0-room.bin" // no name that a course or a learner can give a file
	compiler = `import sys, marshal
name, source = sys.stdin.read().split("\n", 1)
print("CODE", marshal.dumps(compile(source, name, "exec")).hex())
`
	starter = `import marshal
with open("/0-room.bin", "rb") as f:
    code = marshal.loads(f.read())
exec(code)
`
)

// roomFiles gives the files of a room: its code where there is some, else its source.
func roomFiles(ctx context.Context, eng sandbox.Engine, name string, source []byte) map[string][]byte {
	w, ok := eng.(*sandbox.WASM)
	if !ok {
		return map[string][]byte{name: source}
	}
	entry, _ := ready.LoadOrStore(readyKey{w.Runtime(), name}, &readyCode{})
	r := entry.(*readyCode)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.done {
		var err error
		r.code, err = compileRoom(ctx, w, name, source)
		r.done = err == nil // the platform may be well again next time
	}
	if r.code == nil {
		return map[string][]byte{name: source}
	}
	return map[string][]byte{name: []byte(starter), codeName: r.code}
}

// compileRoom gives no code when this Python does not make any.
func compileRoom(ctx context.Context, eng sandbox.Engine, name string, source []byte) ([]byte, error) {
	res, err := eng.Run(ctx, sandbox.Program{
		Files: map[string][]byte{name: []byte(compiler)}, Main: name, Stdin: append([]byte(name+"\n"), source...),
	})
	if err != nil {
		return nil, err
	}
	if res.End != sandbox.Exited || res.ExitCode != 0 {
		return nil, nil
	}
	return codeIn(res.Stdout), nil
}

// codeIn finds the code in what the compiler printed; nil is none.
func codeIn(printed []byte) []byte {
	text, ok := bytes.CutPrefix(bytes.TrimSpace(printed), []byte("CODE "))
	if !ok {
		return nil
	}
	code := make([]byte, hex.DecodedLen(len(text)))
	if _, err := hex.Decode(code, text); err != nil {
		return nil
	}
	return code
}
