// Package config reads the environment, once.
package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"golang.org/x/text/language"
)

// Config is how a server runs. Its zero value runs after Defaults: SQLite and
// blobs in ./data, jobs in this process.
type Config struct {
	Listen        string        `env:"BANYAN_LISTEN" help:"address to listen on; :8080 when empty"`
	PublicURL     string        `env:"BANYAN_PUBLIC_URL" help:"address that people and certificates use; http://localhost:<port> when empty"`
	DataDir       string        `env:"BANYAN_DATA_DIR" help:"folder of the database, blobs and keys; ./data when empty"`
	DatabaseURL   string        `env:"BANYAN_DATABASE_URL" secret:"url" help:"postgres://… for production; SQLite in the data folder when empty"`
	DatabaseConns int           `env:"BANYAN_DATABASE_CONNS" help:"most connections to the database; 16 when 0"`
	RedisURL      string        `env:"BANYAN_REDIS_URL" secret:"url" help:"redis://… hands jobs to workers; jobs run in the api process when empty"`
	MasterKeyFile string        `env:"BANYAN_MASTER_KEY_FILE" help:"file of the key that seals issuers' keys; master.key in the data folder when empty and no other place is named"`
	MasterKey     Secret        `env:"BANYAN_MASTER_KEY,unset" secret:"all" help:"that key itself, 32 bytes in base64, in place of a file"`
	EarlierKeys   string        `env:"BANYAN_MASTER_KEY_EARLIER_FILES" help:"comma-separated files of earlier master keys, which open what they sealed and seal nothing"`
	VaultAddress  string        `env:"BANYAN_VAULT_ADDRESS" help:"https://… of a Vault or OpenBao whose transit engine seals in place of a file"`
	VaultMount    string        `env:"BANYAN_VAULT_MOUNT" help:"where its transit engine is mounted; transit when empty"`
	VaultKey      string        `env:"BANYAN_VAULT_KEY" help:"the name of its key; banyan when empty"`
	VaultToken    string        `env:"BANYAN_VAULT_TOKEN_FILE" help:"file of the token for it, read anew for each request"`
	VaultCA       string        `env:"BANYAN_VAULT_CA_FILE" help:"file of certificates to trust for it; the system's when empty"`
	RuntimeDir    string        `env:"BANYAN_RUNTIME_DIR" help:"folder of the Python runtime; ./build/runtime when empty"`
	FontsDir      string        `env:"BANYAN_FONTS" help:"folder of more typefaces for certificates, as make fonts fills it; ./build/fonts when empty"`
	Sandbox       string        `env:"BANYAN_SANDBOX" help:"engine that runs learners' code: wasm (when empty) or fake (tests and loopback only)"`
	Children      int           `env:"BANYAN_SANDBOX_CHILDREN" help:"interpreters at once; one a core when 0"`
	Require       string        `env:"BANYAN_SANDBOX_REQUIRE" help:"walls without which no lab is run: all, none, or a list such as seccomp,landlock; all when empty on Linux with Redis, else none"`
	Concurrency   int           `env:"BANYAN_JOB_CONCURRENCY" help:"jobs at once; twice the cores when 0"`
	Visibility    time.Duration `env:"BANYAN_JOB_VISIBILITY" help:"after how long an unfinished job is handed out again; 4m when 0; longer than two runs of a lab may take"`
	KeepJobs      int           `env:"BANYAN_JOB_KEEP_DAYS" help:"days for which jobs that are done are remembered; 30 when 0"`
	Signup        string        `env:"BANYAN_SIGNUP" help:"open (when empty): anybody may make an account; closed: admins make them"`
	LeaseDays     int           `env:"BANYAN_DEVICE_LEASE_DAYS" help:"days for which a phone may be away before it asks for the password again; 90 when 0"`
	TrustProxies  string        `env:"BANYAN_TRUST_PROXIES" help:"comma-separated networks whose X-Forwarded-For is believed; none when empty"`
	Fetch         string        `env:"BANYAN_FETCH" help:"on (when empty): documents and status lists of other issuers are fetched to check their credentials; off: nothing is"`
	FetchAllow    string        `env:"BANYAN_FETCH_ALLOW" help:"comma-separated origins such as http://school.lan:8080 that may be fetched from by http and on private networks; none when empty"`
	FetchProxy    string        `env:"BANYAN_FETCH_PROXY" secret:"url" help:"proxy that is asked for them, such as http://proxy.lan:3128; it must refuse private networks itself; none when empty"`
	FetchPorts    string        `env:"BANYAN_FETCH_PORTS" help:"comma-separated ports of other issuers; 443 when empty"`
	StatusDays    int           `env:"BANYAN_STATUS_MAX_DAYS" help:"days after which a word on revocation is too old to rely on; 7 when 0"`
	Locale        string        `env:"BANYAN_LOCALE" help:"language for people who chose none and whose institution has none, such as sw; what their browser asks for when empty"`
	LogLevel      string        `env:"BANYAN_LOG_LEVEL" help:"debug, info (when empty), warn or error"`
	LogFormat     string        `env:"BANYAN_LOG_FORMAT" help:"text (when empty) or json"`
}

// FromEnv reads the environment, fills in the defaults and checks the values.
func FromEnv() (Config, error) {
	var c Config
	if err := env.Parse(&c); err != nil {
		return Config{}, fmt.Errorf("read the environment: %w", err)
	}
	c.Defaults()
	return c, c.Check()
}

// Defaults fills in what is empty.
func (c *Config) Defaults() {
	set := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	set(&c.Listen, ":8080")
	_, port, ok := strings.Cut(c.Listen, ":")
	if i := strings.LastIndex(c.Listen, ":"); i >= 0 {
		port = c.Listen[i+1:]
	}
	if !ok || port == "" {
		port = "8080"
	}
	set(&c.PublicURL, "http://localhost:"+port)
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	set(&c.DataDir, "data")
	set(&c.DatabaseURL, filepath.Join(c.DataDir, "banyan.db"))
	if c.MasterKey == "" && c.VaultAddress == "" {
		set(&c.MasterKeyFile, filepath.Join(c.DataDir, "master.key"))
	}
	if c.VaultAddress != "" {
		set(&c.VaultMount, "transit")
		set(&c.VaultKey, "banyan")
	}
	set(&c.RuntimeDir, filepath.Join("build", "runtime"))
	set(&c.FontsDir, filepath.Join("build", "fonts"))
	set(&c.Sandbox, "wasm")
	set(&c.Require, c.defaultRequire())
	set(&c.Signup, "open")
	set(&c.Fetch, "on")
	set(&c.LogLevel, "info")
	set(&c.LogFormat, "text")
	if c.DatabaseConns == 0 {
		c.DatabaseConns = 16
	}
	if c.Visibility == 0 {
		c.Visibility = 4 * time.Minute
	}
	if c.LeaseDays == 0 {
		c.LeaseDays = 90
	}
	if c.StatusDays == 0 {
		c.StatusDays = 7
	}
	if c.KeepJobs == 0 {
		c.KeepJobs = 30
	}
}

// defaultRequire is strict where strangers' code is run for many, and where there are walls.
func (c *Config) defaultRequire() string {
	if c.Embedded() || runtime.GOOS != "linux" {
		return "none"
	}
	return "all"
}

// Walls gives the walls of the sandbox that must stand, of all that there are.
func (c *Config) Walls(all []string) ([]string, error) {
	switch c.Require {
	case "none":
		return nil, nil
	case "all":
		return all, nil
	}
	var out []string
	for _, s := range strings.Split(c.Require, ",") {
		s = strings.TrimSpace(s)
		if !slices.Contains(all, s) {
			return nil, fmt.Errorf("BANYAN_SANDBOX_REQUIRE: %q is none of all, none, %s", s, strings.Join(all, ", "))
		}
		out = append(out, s)
	}
	return out, nil
}

// Check tells the first value that cannot be.
func (c *Config) Check() error {
	u, err := url.Parse(c.PublicURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Path != "" || u.RawQuery != "" {
		return fmt.Errorf("BANYAN_PUBLIC_URL %q is not an address such as https://learn.example.org", c.PublicURL)
	}
	oneOf := func(name, v string, allowed ...string) error {
		for _, a := range allowed {
			if v == a {
				return nil
			}
		}
		return fmt.Errorf("%s %q is none of %s", name, v, strings.Join(allowed, ", "))
	}
	for _, err := range []error{
		oneOf("BANYAN_SANDBOX", c.Sandbox, "wasm", "fake"),
		oneOf("BANYAN_FETCH", c.Fetch, "on", "off"),
		oneOf("BANYAN_SIGNUP", c.Signup, "open", "closed"),
		oneOf("BANYAN_LOG_LEVEL", c.LogLevel, "debug", "info", "warn", "error"),
		oneOf("BANYAN_LOG_FORMAT", c.LogFormat, "text", "json"),
	} {
		if err != nil {
			return err
		}
	}
	places := 0
	for _, place := range []string{c.MasterKeyFile, string(c.MasterKey), c.VaultAddress} {
		if place != "" {
			places++
		}
	}
	if places != 1 {
		return fmt.Errorf("the master key has one place: name one of BANYAN_MASTER_KEY_FILE, BANYAN_MASTER_KEY and BANYAN_VAULT_ADDRESS")
	}
	if c.VaultAddress != "" && c.VaultToken == "" {
		return fmt.Errorf("BANYAN_VAULT_ADDRESS needs BANYAN_VAULT_TOKEN_FILE")
	}
	if c.Children < 0 || c.Concurrency < 0 || c.DatabaseConns < 1 || c.Visibility < time.Second || c.KeepJobs < 1 {
		return fmt.Errorf("BANYAN_SANDBOX_CHILDREN, BANYAN_JOB_CONCURRENCY, BANYAN_DATABASE_CONNS, BANYAN_JOB_VISIBILITY and BANYAN_JOB_KEEP_DAYS must not be negative or too small")
	}
	if c.LeaseDays < 1 || c.LeaseDays > 3650 {
		return fmt.Errorf("BANYAN_DEVICE_LEASE_DAYS %d is not from 1 to 3650", c.LeaseDays)
	}
	if c.Sandbox == "fake" && !Loopback(c.Listen) {
		return fmt.Errorf("BANYAN_SANDBOX=fake grades nothing really: it needs a loopback BANYAN_LISTEN such as 127.0.0.1:8080")
	}
	if tag, err := language.Parse(c.Locale); c.Locale != "" && (err != nil || tag.String() != c.Locale) {
		return fmt.Errorf("BANYAN_LOCALE: %q is not a language tag such as sw or pt-BR", c.Locale)
	}
	if c.StatusDays < 1 || c.StatusDays > 3650 {
		return fmt.Errorf("BANYAN_STATUS_MAX_DAYS %d is not from 1 to 3650", c.StatusDays)
	}
	if _, _, _, err := c.Fetching(); err != nil {
		return err
	}
	_, err = c.Proxies()
	return err
}

// Earlier gives the files of earlier master keys.
func (c *Config) Earlier() []string { return parts(c.EarlierKeys) }

// Fetching gives the origins that may be fetched from wherever they are, the ports that other issuers may use, and the proxy that is asked.
func (c *Config) Fetching() (origins []string, ports []int, proxy *url.URL, err error) {
	for _, s := range parts(c.FetchAllow) {
		u, err := url.Parse(s)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.String() != u.Scheme+"://"+u.Host || strings.ToLower(s) != s {
			return nil, nil, nil, fmt.Errorf("BANYAN_FETCH_ALLOW: %q is not an origin such as http://school.lan:8080", s)
		}
		origins = append(origins, s)
	}
	for _, s := range parts(c.FetchPorts) {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 65535 {
			return nil, nil, nil, fmt.Errorf("BANYAN_FETCH_PORTS: %q is not a port", s)
		}
		ports = append(ports, n)
	}
	if c.FetchProxy != "" {
		if proxy, err = url.Parse(c.FetchProxy); err != nil || proxy.Scheme != "http" && proxy.Scheme != "https" && proxy.Scheme != "socks5" || proxy.Host == "" {
			return nil, nil, nil, fmt.Errorf("BANYAN_FETCH_PROXY is not an address such as http://proxy.lan:3128")
		}
	}
	return origins, ports, proxy, nil
}

// parts cuts a list at its commas and leaves out what is empty.
func parts(list string) (out []string) {
	for s := range strings.SplitSeq(list, ",") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// Proxies gives the networks whose forwarding headers are believed.
func (c *Config) Proxies() ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range strings.Split(c.TrustProxies, ",") {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, fmt.Errorf("BANYAN_TRUST_PROXIES: %q is not a network such as 10.0.0.0/8", s)
		}
		out = append(out, p)
	}
	return out, nil
}

// PublicHost is the host of the public address in lower case, without its port.
func (c *Config) PublicHost() string {
	u, err := url.Parse(c.PublicURL)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// Secure tells whether people reach the server by https.
func (c *Config) Secure() bool { return strings.HasPrefix(c.PublicURL, "https://") }

// Embedded tells whether jobs run in the api process.
func (c *Config) Embedded() bool { return c.RedisURL == "" }

// TerminalLocale gives the language that the operator's terminal asks for, as a
// BCP 47 tag: POSIX says ar_EG.UTF-8 where others say ar-EG. "" when it asks for none.
func TerminalLocale() string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			v, _, _ = strings.Cut(v, ".")
			v, _, _ = strings.Cut(v, "@")
			return strings.ReplaceAll(v, "_", "-")
		}
	}
	return ""
}

// Loopback tells whether a listen address is reachable from this machine only.
func Loopback(listen string) bool {
	i := strings.LastIndex(listen, ":")
	if i < 0 {
		return false
	}
	host := strings.Trim(listen[:i], "[]")
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// Setting is one line of the `config` subcommand.
type Setting struct{ Name, Value, Help string }

// Settings lists what is in force, with passwords in addresses hidden.
func (c *Config) Settings() []Setting {
	v := reflect.ValueOf(*c)
	t := v.Type()
	out := make([]Setting, 0, t.NumField())
	for i := range t.NumField() {
		f := t.Field(i)
		val := fmt.Sprint(v.Field(i).Interface())
		if f.Tag.Get("secret") == "url" {
			val = hidePassword(val)
		}
		name, _, _ := strings.Cut(f.Tag.Get("env"), ",")
		out = append(out, Setting{Name: name, Value: val, Help: f.Tag.Get("help")})
	}
	return out
}

func hidePassword(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return "(hidden: not an address)"
	}
	if u.User != nil {
		if _, has := u.User.Password(); has {
			u.User = url.UserPassword(u.User.Username(), "xxxxx")
		}
	}
	q := u.Query()
	for _, k := range []string{"password", "sslpassword"} {
		if q.Has(k) {
			q.Set(k, "xxxxx")
			u.RawQuery = q.Encode()
		}
	}
	return u.String()
}
