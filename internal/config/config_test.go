package config_test

import (
	"fmt"
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
		if s.Name == "" || s.Help == "" {
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
