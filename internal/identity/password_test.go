package identity

import (
	"context"
	"strings"
	"testing"
)

func TestCheckPassword(t *testing.T) {
	ctx := t.Context()
	hash, err := hashPassword(ctx, "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	again, err := hashPassword(ctx, "correct horse")
	if err != nil || again == hash {
		t.Errorf("two hashes of one password are the same: %v", err)
	}
	// The form is PHC's, so that a later Banyan or another program can read it.
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v=19" || parts[3] != "m=19456,t=2,p=1" {
		t.Fatalf("hash %s", hash)
	}
	with := func(i int, s string) string {
		p := strings.Split(hash, "$")
		p[i] = s
		return strings.Join(p, "$")
	}
	flip := func(s string) string {
		last := byte('A')
		if s[0] == 'A' {
			last = 'B'
		}
		return string(last) + s[1:]
	}
	tests := []struct {
		name, password, hash string
		ok, broken           bool
	}{
		{"right", "correct horse", hash, true, false},
		{"right, other salt", "correct horse", again, true, false},
		{"wrong", "correct hors", hash, false, false},
		{"empty", "", hash, false, false},
		{"other salt", "correct horse", with(4, flip(parts[4])), false, false},
		{"other sum", "correct horse", with(5, flip(parts[5])), false, false},
		{"other cost", "correct horse", with(3, "m=19456,t=3,p=1"), false, false},
		{"no hash", "", "", false, true},
		{"another algorithm", "correct horse", with(1, "argon2i"), false, true},
		{"another version", "correct horse", with(2, "v=18"), false, true},
		{"no passes", "correct horse", with(3, "m=19456,t=0,p=1"), false, true},
		{"no lanes", "correct horse", with(3, "m=19456,t=2,p=0"), false, true},
		{"too many lanes", "correct horse", with(3, "m=19456,t=2,p=256"), false, true},
		{"all memory there is", "correct horse", with(3, "m=4294967295,t=2,p=1"), false, true},
		{"for ever", "correct horse", with(3, "m=19456,t=4294967295,p=1"), false, true},
		{"a short sum", "correct horse", with(5, "AAAA"), false, true},
		{"a salt that is no base64", "correct horse", with(4, "!"), false, true},
		{"a plain password", "correct horse", "correct horse", false, true},
	}
	for _, tt := range tests {
		ok, err := checkPassword(ctx, tt.password, tt.hash)
		if ok != tt.ok || (err != nil) != tt.broken {
			t.Errorf("%s: %t, %v", tt.name, ok, err)
		}
	}
	over, cancel := context.WithCancel(ctx)
	cancel()
	for range cap(argonSlots) {
		argonSlots <- struct{}{}
	}
	defer func() {
		for range cap(argonSlots) {
			<-argonSlots
		}
	}()
	if _, err := checkPassword(over, "correct horse", hash); err == nil {
		t.Error("who has left still stands in line")
	}
}
