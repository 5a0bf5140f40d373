package identity

import "slices"

// Actor is who is asking: a person, a machine with a person's token, or the
// system itself. The zero Actor is anonymous. It is a parameter of every
// service method that reads or changes anything of somebody.
type Actor struct {
	UserID      UserID
	Username    string
	Operator    bool
	System      bool // our own jobs and subcommands
	Memberships []Membership
	SessionID   SessionID // set when signed in by cookie
	Scopes      []Scope   // nil: all; set for bearer tokens, and for sessions that a device opened
	Device      DeviceID  // set when a device's token is shown, or the session is a device's
}

// System is the actor of jobs and of the operator's subcommands.
func System() Actor { return Actor{System: true} }

// Anonymous tells whether nobody is signed in.
func (a Actor) Anonymous() bool { return a.UserID == "" && !a.System }

// Is tells whether the actor is this very user.
func (a Actor) Is(id UserID) bool { return a.UserID != "" && a.UserID == id }

// Has tells whether the actor holds one of the roles in the institution.
// Neither the operator nor the system has roles; ask Operates for them.
func (a Actor) Has(in InstitutionID, roles ...Role) bool {
	for _, m := range a.Memberships {
		if m.InstitutionID == in && slices.Contains(roles, m.Role) {
			return true
		}
	}
	return false
}

// Institutions lists where the actor is a member, each once.
func (a Actor) Institutions() []InstitutionID {
	var out []InstitutionID
	for _, m := range a.Memberships {
		if !slices.Contains(out, m.InstitutionID) {
			out = append(out, m.InstitutionID)
		}
	}
	return out
}

// Operates tells whether the actor runs the server or is the server.
func (a Actor) Operates() bool { return a.System || a.Operator }

// MayOperate tells whether the actor may change things as the one who runs the
// server. It implements job.Operator.
func (a Actor) MayOperate() bool { return a.Operates() && a.Scoped(ScopeAdmin) }

// Scoped tells whether the actor's token reaches s. Whoever came by password reaches everything,
// and every token reaches what merely reads.
func (a Actor) Scoped(s Scope) bool {
	return a.Scopes == nil || s == ScopeRead || slices.Contains(a.Scopes, s)
}

// MayPublish tells whether the actor may publish courses in the name of an
// institution: its trainers and admins, and the operator. It implements curriculum.Authority.
func (a Actor) MayPublish(institutionID string) bool {
	return a.Scoped(ScopePublish) && (a.Operates() || a.Has(InstitutionID(institutionID), Trainer, Admin))
}
