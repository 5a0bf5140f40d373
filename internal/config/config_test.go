package config_test

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/config"
)

func TestZeroValueRuns(t *testing.T) {
	var c config.Config
	c.Defaults()
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	if c.PublicURL != "http://localhost:8080" || c.DatabaseURL != "data/banyan.db" || !c.Embedded() {
		t.Fatalf("unexpected defaults: %+v", c)
	}
}

func TestCheckNamesTheVariable(t *testing.T) {
	tests := []struct {
		name string
		c    config.Config
		want string
	}{
		{"a path in the address", config.Config{PublicURL: "https://x.org/banyan"}, "BANYAN_PUBLIC_URL"},
		{"no scheme", config.Config{PublicURL: "x.org"}, "BANYAN_PUBLIC_URL"},
		{"engine", config.Config{Sandbox: "docker"}, "BANYAN_SANDBOX"},
		{"fake engine in public", config.Config{Sandbox: "fake", Listen: ":8080"}, "BANYAN_SANDBOX=fake"},
		{"sign-up", config.Config{Signup: "maybe"}, "BANYAN_SIGNUP"},
		{"language", config.Config{Locale: "kiswahili"}, "BANYAN_LOCALE"},
		{"language spelt otherwise", config.Config{Locale: "pt-br"}, "BANYAN_LOCALE"},
		{"proxies", config.Config{TrustProxies: "10.0.0.1"}, "BANYAN_TRUST_PROXIES"},
		{"an endless lease", config.Config{LeaseDays: 3651}, "BANYAN_DEVICE_LEASE_DAYS"},
		{"negative", config.Config{Children: -1}, "BANYAN_SANDBOX_CHILDREN"},
		{"two master keys", config.Config{MasterKeyFile: "x", MasterKey: "y"}, "BANYAN_MASTER_KEY"},
		{"a file and a key service", config.Config{MasterKeyFile: "x", VaultAddress: "https://vault.example"}, "BANYAN_VAULT_ADDRESS"},
		{"a key service without a token", config.Config{VaultAddress: "https://vault.example"}, "BANYAN_VAULT_TOKEN_FILE"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.c.Defaults()
			if err := tt.c.Check(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want a fault that names %s", err, tt.want)
			}
		})
	}
}

func TestRequiredWalls(t *testing.T) {
	all := []string{"a", "b", "c"}
	tests := []struct{ require, redis, want string }{
		{"", "", "[]"},
		{"", "redis://r", map[bool]string{true: "[a b c]", false: "[]"}[runtime.GOOS == "linux"]},
		{"none", "redis://r", "[]"},
		{"all", "", "[a b c]"},
		{"c, a", "", "[c a]"},
		{"d", "", "BANYAN_SANDBOX_REQUIRE"},
		{"a,", "", "BANYAN_SANDBOX_REQUIRE"},
		{"all,a", "", "BANYAN_SANDBOX_REQUIRE"},
	}
	for _, tt := range tests {
		c := config.Config{Require: tt.require, RedisURL: tt.redis}
		c.Defaults()
		got, err := c.Walls(all)
		if s := fmt.Sprint(got); (err == nil && s != tt.want) || (err != nil && !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%q with Redis %q: %s, %v, want %s", tt.require, tt.redis, s, err, tt.want)
		}
	}
}

func TestSettingsHideSecrets(t *testing.T) {
	c := config.Config{
		DatabaseURL: "postgres://banyan:s3cret@db/banyan?password=s3cret", RedisURL: "redis://:s3cret@redis:6379/0",
	}
	c.Defaults()
	for _, s := range c.Settings() {
		if strings.Contains(s.Value, "s3cret") {
			t.Errorf("%s shows its secret: %s", s.Name, s.Value)
		}
		if s.Name == "" || s.Help == "" || strings.Contains(s.Name, ",") {
			t.Errorf("a setting without name or help: %+v", s)
		}
	}
}

func TestLoopback(t *testing.T) {
	for listen, want := range map[string]bool{
		"127.0.0.1:1": true, "[::1]:1": true, "localhost:1": true, ":1": false, "0.0.0.0:1": false, "10.0.0.1:1": false, "x": false,
	} {
		if got := config.Loopback(listen); got != want {
			t.Errorf("Loopback(%q) = %v", listen, got)
		}
	}
}

func TestTerminalLocale(t *testing.T) {
	tests := []struct{ all, messages, lang, want string }{
		{"", "", "", ""},
		{"", "", "ar_EG.UTF-8", "ar-EG"},
		{"", "fr_FR", "ar_EG.UTF-8", "fr-FR"},
		{"sr_RS@latin", "fr_FR", "ar_EG.UTF-8", "sr-RS"},
	}
	for _, tt := range tests {
		t.Setenv("LC_ALL", tt.all)
		t.Setenv("LC_MESSAGES", tt.messages)
		t.Setenv("LANG", tt.lang)
		if got := config.TerminalLocale(); got != tt.want {
			t.Errorf("%+v: %q", tt, got)
		}
	}
}

// The master key is read once, and stands neither in what is printed nor in what child programs inherit.
func TestMasterKeyIsNotPrinted(t *testing.T) {
	const key = "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlY3I="
	t.Setenv("BANYAN_MASTER_KEY", key)
	c, err := config.FromEnv()
	if err != nil {
		t.Fatal(err)
	}
	if string(c.MasterKey) != key || c.MasterKeyFile != "" {
		t.Errorf("read %d characters, file %q", len(c.MasterKey), c.MasterKeyFile)
	}
	if _, still := os.LookupEnv("BANYAN_MASTER_KEY"); still {
		t.Error("it stays in the environment")
	}
	raw, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	printed := fmt.Sprintf("%v %+v %#v %s %q %x", c, c, c, c.MasterKey, c.MasterKey, c.MasterKey) + fmt.Sprint(c.Settings()) + string(raw)
	if strings.Contains(printed, key) || strings.Contains(printed, fmt.Sprintf("%x", key)) {
		t.Error("it is printed")
	}
	if !strings.Contains(fmt.Sprint(c.Settings()), "(hidden)") {
		t.Error("nobody is told that there is one")
	}
}
