package credential_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/credential/statuslist"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/learning"
)

// memory is a credential.Store in memory, with the constraints and the
// roll-back that the contract promises.
type memory struct {
	mu sync.Mutex
	rows
	fail func(op string) error // called with the name of each write
	done map[job.ID]bool

	locking func() // called before a credential is locked
}

type rows struct {
	credentials []credential.Credential
	keys        []keyring.Key
	lists       []statuslist.List
	audits      []audit.Entry
	jobs        []job.Job
}

func (r rows) clone() rows {
	return rows{slices.Clone(r.credentials), slices.Clone(r.keys), slices.Clone(r.lists), slices.Clone(r.audits), slices.Clone(r.jobs)}
}

var (
	_ credential.Store = (*memory)(nil)
	_ statuslist.Store = (*memory)(nil)
)

// inTx is the store inside a transaction: the lock is held already.
type inTx struct {
	credential.Store // panics for what is not allowed within
	m                *memory
}

func (m *memory) InTx(_ context.Context, fn func(tx credential.Store) error) error {
	return m.transact(func() error { return fn(inTx{m: m}) })
}

func (m *memory) transact(fn func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.clone()
	if err := fn(); err != nil {
		m.rows = before
		return err
	}
	return nil
}

func (t inTx) LockCredential(_ context.Context, id credential.ID) (credential.Credential, error) {
	if t.m.locking != nil {
		t.m.locking()
	}
	if i := slices.IndexFunc(t.m.credentials, func(c credential.Credential) bool { return c.ID == id }); i >= 0 {
		return t.m.credentials[i], nil
	}
	return credential.Credential{}, fault.New(fault.NotFound, "credential.not_found")
}

func (t inTx) HoldKey(_ context.Context, id keyring.KeyID) (keyring.Key, error) {
	if i := slices.IndexFunc(t.m.keys, func(k keyring.Key) bool { return k.ID == id }); i >= 0 {
		return t.m.keys[i], nil
	}
	return keyring.Key{}, fault.New(fault.NotFound, "credential.key_not_found")
}

func (m *memory) HoldKey(context.Context, keyring.KeyID) (keyring.Key, error) {
	panic("held outside of a transaction")
}

func (t inTx) Audit(_ context.Context, e audit.Entry) error { return t.m.audit(e) }

func (t inTx) FindCredential(_ context.Context, id credential.ID) (credential.Credential, error) {
	for _, c := range t.m.credentials {
		if c.ID == id {
			return c, nil
		}
	}
	return credential.Credential{}, fault.New(fault.NotFound, "credential.not_found")
}

// audit chains as a real store does.
func (m *memory) audit(e audit.Entry) error {
	if err := m.write("Audit"); err != nil {
		return err
	}
	var head audit.Head
	for _, o := range m.audits {
		if o.Institution == e.Institution {
			head = o.Head()
		}
	}
	e, err := e.After(head)
	if err == nil {
		m.audits = append(m.audits, e)
	}
	return err
}

func (m *memory) Audit(_ context.Context, e audit.Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.audit(e)
}

func (m *memory) write(op string) error {
	if m.fail == nil {
		return nil
	}
	return m.fail(op)
}

func (t inTx) StampCredentials(_ context.Context, user identity.UserID) (credential.Stamp, error) {
	return t.m.stamp(user), nil
}

func (t inTx) UpdateStanding(_ context.Context, c credential.Credential) error {
	if err := t.m.write("UpdateStanding"); err != nil {
		return err
	}
	for i := range t.m.credentials {
		if t.m.credentials[i].ID == c.ID {
			t.m.credentials[i] = c
		}
	}
	return nil
}

func (m *memory) LockCredential(context.Context, credential.ID) (credential.Credential, error) {
	panic("only within a transaction")
}

func (m *memory) UpdateStanding(context.Context, credential.Credential) error {
	panic("only within a transaction")
}

func (m *memory) createCredential(c credential.Credential) error {
	for _, o := range m.credentials {
		if o.EnrollmentID == c.EnrollmentID {
			return fault.New(fault.Conflict, "credential.exists")
		}
		if o.StatusListID == c.StatusListID && o.StatusIndex == c.StatusIndex {
			return fault.New(fault.Conflict, "credential.index_taken")
		}
	}
	m.credentials = append(m.credentials, c)
	return nil
}

func (m *memory) CreateCredential(_ context.Context, c credential.Credential) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.createCredential(c)
}

func (m *memory) find(ok func(credential.Credential) bool) (credential.Credential, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := slices.IndexFunc(m.credentials, ok); i >= 0 {
		return m.credentials[i], nil
	}
	return credential.Credential{}, fault.New(fault.NotFound, "credential.not_found")
}

func (m *memory) FindCredential(_ context.Context, id credential.ID) (credential.Credential, error) {
	return m.find(func(c credential.Credential) bool { return c.ID == id })
}

func (m *memory) FindCredentialOf(_ context.Context, e learning.EnrollmentID) (credential.Credential, error) {
	return m.find(func(c credential.Credential) bool { return c.EnrollmentID == e })
}

func (m *memory) list(after credential.ID, limit int, ok func(credential.Credential) bool) []credential.Credential {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []credential.Credential
	for _, c := range m.credentials {
		if c.ID > after && ok(c) {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b credential.Credential) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return out[:min(limit, len(out))]
}

func (m *memory) ListCredentials(_ context.Context, user identity.UserID, after credential.ID, limit int) ([]credential.Credential, error) {
	return m.list(after, limit, func(c credential.Credential) bool { return c.UserID == user }), nil
}

func (m *memory) StampCredentials(_ context.Context, user identity.UserID) (credential.Stamp, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stamp(user), nil
}

func (m *memory) stamp(user identity.UserID) (st credential.Stamp) {
	for _, c := range m.credentials {
		if c.UserID != user {
			continue
		}
		st.Count++
		if c.ChangedAt.After(st.ChangedAt) {
			st.ChangedAt = c.ChangedAt
		}
	}
	return st
}

func (m *memory) ListInstitutionCredentials(_ context.Context, in identity.InstitutionID, _ credential.Filter, after credential.ID, limit int) ([]credential.Credential, error) {
	return m.list(after, limit, func(c credential.Credential) bool { return c.InstitutionID == in }), nil
}

func (m *memory) CreateList(_ context.Context, l statuslist.List) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lists = append(m.lists, l)
	return nil
}

func (m *memory) FindList(_ context.Context, id statuslist.ID) (statuslist.List, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range m.lists {
		if l.ID == id {
			return l, nil
		}
	}
	return statuslist.List{}, fault.New(fault.NotFound, "credential.list_not_found")
}

func (m *memory) ListLists(_ context.Context, in identity.InstitutionID, issuer string) ([]statuslist.List, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []statuslist.List
	for _, l := range m.lists {
		if l.InstitutionID == in && l.Issuer == issuer {
			out = append(out, l)
		}
	}
	slices.SortFunc(out, func(a, b statuslist.List) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return out, nil
}

func (m *memory) FindLastList(_ context.Context, in identity.InstitutionID, issuer string) (statuslist.List, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var last statuslist.List
	for _, l := range m.lists {
		if l.InstitutionID == in && l.Issuer == issuer && l.TwinID != "" && l.ID > last.ID {
			last = l
		}
	}
	if last.ID == "" {
		return last, fault.New(fault.NotFound, "credential.list_not_found")
	}
	return last, nil
}

func (m *memory) IndexTaken(_ context.Context, list statuslist.ID, index int) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.ContainsFunc(m.credentials, func(c credential.Credential) bool {
		return c.StatusListID == list && c.StatusIndex == index
	}), nil
}

func (m *memory) ListSet(_ context.Context, l statuslist.List) ([]int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []int
	for _, c := range m.credentials {
		if c.StatusListID == l.ID && c.RevokedAt != nil || c.SuspensionListID == l.ID && c.SuspendedAt != nil {
			out = append(out, c.StatusIndex)
		}
	}
	slices.Sort(out)
	return out, nil
}

// words says keys as they are.
type words struct{}

func (words) T(locale, key string, _ map[string]any) string { return locale + " " + key }

// world is what the service asks of its neighbours.
type world struct {
	enrollments  map[learning.EnrollmentID]learning.Enrollment
	versions     map[curriculum.VersionID]curriculum.Version
	users        map[identity.UserID]identity.User
	institutions map[identity.InstitutionID]institution.Institution
}

func (w *world) FindEnrollment(_ context.Context, id learning.EnrollmentID) (learning.Enrollment, error) {
	e, ok := w.enrollments[id]
	if !ok {
		return e, fault.New(fault.NotFound, "enrollment.not_found")
	}
	return e, nil
}

func (w *world) FindVersion(_ context.Context, id curriculum.VersionID) (curriculum.Version, error) {
	v, ok := w.versions[id]
	if !ok {
		return v, fault.New(fault.NotFound, "course.not_found")
	}
	return v, nil
}

func (w *world) FindUser(_ context.Context, id identity.UserID) (identity.User, error) {
	u, ok := w.users[id]
	if !ok {
		return u, fault.New(fault.NotFound, "user.not_found")
	}
	return u, nil
}

func (w *world) Find(_ context.Context, id identity.InstitutionID) (institution.Institution, error) {
	in, ok := w.institutions[id]
	if !ok {
		return in, fault.New(fault.NotFound, "institution.not_found")
	}
	return in, nil
}

func (w *world) FindBySlug(_ context.Context, slug string) (institution.Institution, error) {
	for _, in := range w.institutions {
		if in.Slug == slug {
			return in, nil
		}
	}
	return institution.Institution{}, fault.New(fault.NotFound, "institution.not_found")
}

func (w *world) FindByDomain(_ context.Context, domain string) (institution.Institution, error) {
	for _, in := range w.institutions {
		if in.Domain == domain {
			return in, nil
		}
	}
	return institution.Institution{}, fault.New(fault.NotFound, "institution.not_found")
}

// id makes ids that are told apart at a glance: id(1, 7) is the seventh of the first sort.
func id[T ~string](sort, n int) T {
	return T(fmt.Sprintf("019a0000-0000-7%03d-8000-%012d", sort, n))
}
