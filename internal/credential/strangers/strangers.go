// Package strangers lets libraries of other hands judge and make credentials. It is for tests alone.
//
// They are npm packages: @digitalbazaar/vc and its suites, jsonld, jose.
// Nothing of them is shipped. They are fetched once a machine; afterwards no test needs a network.
package strangers

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

// Dir is the folder of the npm packages and of the script.
func Dir() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "testdata", "npm")
}

// install brings the packages, where nobody has yet. Tests of several packages run at once; a
// folder that exists tells the others to wait.
var install = sync.OnceValues(func() ([]byte, error) {
	dir := Dir()
	done := filepath.Join(dir, "node_modules", ".package-lock.json")
	lock := filepath.Join(dir, ".installing")
	for wait := 0; ; wait++ {
		if fresh(done, filepath.Join(dir, "package-lock.json")) {
			return nil, nil
		}
		err := os.Mkdir(lock, 0o700)
		if err == nil {
			break
		}
		if wait == 1200 { // whoever was at it died
			return []byte("remove " + lock), err
		}
		time.Sleep(200 * time.Millisecond)
	}
	defer os.Remove(lock)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err == nil {
		now := time.Now()
		err = os.Chtimes(done, now, now)
	}
	return out, err
})

// fresh tells whether what is installed is not older than what is asked for.
func fresh(done, lock string) bool {
	a, err := os.Stat(done)
	if err != nil {
		return false
	}
	b, err := os.Stat(lock)
	return err == nil && !a.ModTime().Before(b.ModTime())
}

// Ask runs a task of strangers.mjs and fills in its answer.
func Ask(t testing.TB, task string, input, answer any) {
	t.Helper()
	if out, err := install(); err != nil {
		t.Fatalf("npm ci in %s: %v\n%s", Dir(), err, out)
	}
	raw, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "strangers.mjs", task)
	cmd.Dir = Dir()
	cmd.Stdin = bytes.NewReader(raw)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node strangers.mjs %s: %v\n%s", task, err, &stderr)
	}
	if err := json.Unmarshal(out, answer); err != nil {
		t.Fatalf("strangers say %.500s: %v", out, err)
	}
}
